// SPDX-License-Identifier: Apache-2.0

import Documents
import JSONSchemas

/// The schema of the project file, a copy of `Schemas/formwork-project.schema.json`.
package enum ProjectSchema {
    /// Its address in reports.
    static let name = "formwork-project.schema.json"

    static func load() throws(DiagnosticsError) -> LoadedSpec { try SpecLoader.load(Array(text.utf8), file: name) }

    package static let text = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "Formwork project",
          "description": "The project file formwork.yaml; see docs/PROJECT.md",
          "type": "object",
          "properties": {
            "$schema": {"type": "string"},
            "schemas": {
              "type": "object",
              "description": "globs of files, each with the schema for them: a path from this file, a name in the catalogue, or an address; the first glob counts",
              "additionalProperties": {"type": "string", "minLength": 1}
            },
            "exclude": {
              "type": "array",
              "description": "globs of files and folders that are passed over in folders and globs",
              "items": {"type": "string", "minLength": 1}
            },
            "registry": {
              "type": "array",
              "description": "folders of schemas, as --registry takes them: DIR or URLPREFIX=DIR",
              "items": {"type": "string", "minLength": 1}
            },
            "format": {
              "type": "object",
              "description": "what formwork format takes unless an option says otherwise",
              "properties": {
                "indent": {"type": "integer", "minimum": 1, "maximum": 16},
                "width": {"type": "integer", "minimum": 20, "maximum": 10000},
                "sequences": {"enum": ["indented", "flush"]},
                "quotes": {"enum": ["keep", "double", "single"]},
                "order": {"enum": ["keep", "schema", "alphabetical"]},
                "defaults": {"enum": ["keep", "fill", "drop"]}
              },
              "additionalProperties": false
            },
            "validate": {
              "type": "object",
              "description": "what formwork validate takes unless an option says otherwise",
              "properties": {
                "formats": {"enum": ["assert", "annotate"]},
                "unresolved": {"enum": ["refuse", "allow"]},
                "strict": {"type": "boolean"}
              },
              "additionalProperties": false
            },
            "serve": {
              "type": "object",
              "description": "what formwork serve takes unless an option or the environment says otherwise",
              "properties": {
                "model": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "host": {"type": "string", "minLength": 1},
                "port": {"type": "integer", "minimum": 0, "maximum": 65535},
                "threads": {"type": "integer", "minimum": 1, "maximum": 256},
                "lora": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "context": {"type": "integer", "minimum": 16, "maximum": 16777216},
                "slots": {"type": "integer", "minimum": 1, "maximum": 256},
                "cache": {"type": "integer", "minimum": 0, "maximum": 1048576},
                "queue": {"type": "integer", "minimum": 1, "maximum": 1048576},
                "requests-per-minute": {"type": "integer", "minimum": 1, "maximum": 1048576},
                "concurrent": {"type": "integer", "minimum": 1, "maximum": 1048576},
                "deadline": {"type": "number", "exclusiveMinimum": 0, "maximum": 86400},
                "keys": {"type": "string", "minLength": 1},
                "state": {"type": "string", "minLength": 1},
                "allow-origin": {"type": "array", "items": {"type": "string", "minLength": 1}},
                "tls-certificate": {"type": "string", "minLength": 1},
                "tls-key": {"type": "string", "minLength": 1},
                "log-level": {"enum": ["debug", "info", "warning", "error"]}
              },
              "additionalProperties": false
            }
          },
          "additionalProperties": false
        }

        """#
}
