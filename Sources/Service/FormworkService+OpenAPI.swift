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

    fileprivate static let text = JSONWriter(style: .compact).write(value)
}

extension FormworkService {
    /// `/openapi.json`.
    func openAPI(document router: Router<BasicRequestContext>) {
        route(router, .get, "/openapi.json", .native, needsKey: false) { _ in
            Reply(text: OpenAPIDocument.text, type: "application/json")
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
