// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation
import JSONSchemas
import TestSupport
import Testing

/// The official test suite, where it is at hand.
@Suite(.enabled(if: SharedData.has("json-schema-test-suite/suite.tar.gz"), "needs FORMWORK_SHARED"))
struct SuiteTests {
    @Test(arguments: Draft.allCases)
    func everyRequiredTestPasses(draft: Draft) throws {
        let archive = try #require(SharedData.url("json-schema-test-suite/suite.tar.gz"))
        let report = try SuiteBench.run(path: archive.path, engine: .validator, drafts: [draft])
        let counts = report.counts(draft, optional: false)
        #expect(counts.total > 400)
        #expect(counts.passed == counts.total, Comment(rawValue: report.text()))
    }

    @Test
    func annotationsAndOutputsAreThoseOfTheSuite() throws {
        let archive = try #require(SharedData.url("json-schema-test-suite/suite.tar.gz"))
        let report = try SuiteBench.run(path: archive.path, engine: .validator, drafts: [.draft7, .draft201909, .draft202012])
        for part in [SuiteBench.Part.annotations, .output] {
            let counts = report.counts(part)
            #expect(counts.total > 10)
            #expect(counts.passed == counts.total, Comment(rawValue: report.text()))
        }
    }
}
