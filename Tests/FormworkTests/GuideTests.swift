// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation
import TestSupport
import Testing

/// A person named in the text.
@Structured
struct Guest {
    /// The person's full name.
    var name: String
    @Guide(description: "Age in years", .range(0...150)) var age: Int?
    @Guide(.pattern("^[^@]+@[^@]+$")) var email: String
    @Guide(.count(1...5)) var tags: [String]
}

@Structured
enum Delivery {
    case none
    case post(address: String, express: Bool = false)
    case link(URL)
}

/// What the page for developers shows.
struct GuideTests {
    private func guide(model: String, text: String) async throws -> Guest {
        let session = try FormworkSession(model: model)
        let guest = try await session.transform(text, to: Guest.self)
        for try await partial in session.stream(text, to: Guest.self) {
            print(partial.name ?? "")
        }
        return guest
    }

    @Test func runs() async throws {
        let url = try TinyModel.text(context: 4096).write()
        defer { try? FileManager.default.removeItem(at: url) }
        let guest = try await guide(model: url.path, text: "Ada")
        #expect((1...5).contains(guest.tags.count))
    }

    @Test func casesAreWrittenAsThePageSays() throws {
        #expect(Delivery.none.structuredValue.json == #""none""#)
        #expect(
            Delivery.post(address: "x", express: true).structuredValue.json
                == #"{"post":{"address":"x","express":true}}"#)
        let link = try Delivery(structuredValue: StructuredValue(json: #"{"link": "https://example.org"}"#))
        #expect(link.structuredValue.json == #"{"link":"https://example.org"}"#)
    }
}
