// SPDX-License-Identifier: Apache-2.0

package import Documents
import Hummingbird

/// The description of all routes, for people and for tools that make clients of it.
package enum OpenAPIDocument {
    /// The document of OpenAPI 3.1, from `openapi.yaml`; null where that could not be read, which a test rules out.
    package static let value: JSONValue = {
        guard let document = try? DocumentReader.read(PackageResources.openapi_yaml, format: .yaml) else { return .null }
        return document.root.value
    }()

    /// The document of a service with these models.
    static func text(models: [String]) -> String {
        var document = value
        if var root = document.objectValue, var components = root["components"]?.objectValue,
            var schemas = components["schemas"]?.objectValue
        {
            let names = models + models.map { $0 + ":latest" }
            schemas["ModelName"] = ["enum": .array(names.map { .string($0) })]
            components["schemas"] = .object(schemas)
            root["components"] = .object(components)
            document = .object(root)
        }
        return JSONWriter(style: .compact).write(document)
    }
}

extension FormworkService {
    /// `/openapi.json`.
    func openAPI(document router: Router<BasicRequestContext>) {
        let text = OpenAPIDocument.text(models: configuration.models.map(\.name))
        route(router, .get, "/openapi.json", .native, needsKey: false) { _ in
            Reply(text: text, type: "application/json")
        }
    }

    /// Method and path of every route, such as `post /v1/batches/{batch}/cancel`.
    package var routes: [String] {
        router().routes.map { route in
            let path = route.path.description.split(separator: "/").map { part in
                part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
            }
            return "\(route.method.rawValue.lowercased()) /\(path.joined(separator: "/"))"
        }.sorted()
    }
}
