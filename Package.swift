// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import CompilerPluginSupport
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: settings
    )
}

let package = Package(
    name: "formwork",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "formwork", targets: ["formwork-cli"]),
        .library(name: "Formwork", targets: ["Formwork"]),
        .library(name: "Transformations", targets: ["Transformations"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-syntax", "602.0.0"..<"605.0.0"),
    ],
    targets: [
        // C leaves
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CKernels", publicHeadersPath: "include"),

        // Libraries, from the bottom up
        library("Documents", ["CLibYAML", .product(name: "BigInt", package: "BigInt")]),
        library("Patterns", []),
        library("JSONSchemas", ["Documents", "Patterns"]),
        library("ModelFiles", []),
        library("Tokenizers", ["Documents", "ModelFiles"]),
        library("Constraints", ["JSONSchemas", "Patterns", "Documents", "Tokenizers"]),
        library("Inference", ["ModelFiles", "Tokenizers", "CKernels", "COpenBLAS"]),
        library("Generation", ["Constraints", "Inference", "Tokenizers"]),
        library("Transformations", ["Generation", "JSONSchemas", "Documents", "Tokenizers", "Constraints", "Inference"]),
        // What the macros do is a library, because a test that depends on a macro has the whole package built once more.
        library(
            "StructuredDerivation",
            [
                .product(name: "SwiftDiagnostics", package: "swift-syntax"),
                .product(name: "SwiftSyntax", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
            ]
        ),
        .macro(
            name: "FormworkMacros",
            dependencies: [
                "StructuredDerivation", .product(name: "SwiftSyntax", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
                .product(name: "SwiftCompilerPlugin", package: "swift-syntax"),
            ],
            swiftSettings: settings
        ),
        library(
            "Formwork",
            [
                "FormworkMacros", "Transformations", "Generation", "Constraints", "Inference", "JSONSchemas", "Documents",
                "Tokenizers", "ModelFiles",
            ]
        ),
        library(
            "Benchmarks",
            ["Transformations", "Generation", "Constraints", "Inference", "JSONSchemas", "Documents", "Tokenizers",
                "ModelFiles"]
        ),
        library(
            "Jobs", [.product(name: "GRDB", package: "GRDB.swift"), .product(name: "Crypto", package: "swift-crypto")]),
        library(
            "Service",
            [
                "Jobs", "Transformations", "Generation", "Constraints", "Inference", "JSONSchemas", "Documents", "Tokenizers",
                "ModelFiles", "Patterns", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("OpenAPI/openapi.yaml")]
                // A page without a build chain that travels inside the program.
                + [
                    "index.html", "style.css", "icon.svg", "app.js", "document.js", "editor.js", "samples.js",
                    "snippets.js",
                ].map { .embedInCode("Playground/" + $0) }
        ),
        library(
            "Commands",
            [
                "Service", "Jobs", "Transformations", "Benchmarks", "Generation", "Constraints", "Inference", "JSONSchemas", "Documents",
                "Tokenizers", "ModelFiles", "Patterns",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ]
        ),
        // Not `formwork`: on some file systems that is the same folder as that of the library.
        .executableTarget(name: "formwork-cli", dependencies: ["Commands"], swiftSettings: settings),
        .executableTarget(name: "formwork-loops", dependencies: ["Benchmarks"], swiftSettings: settings),

        // Tests
        .target(name: "TestSupport", dependencies: ["Documents"], path: "Tests/TestSupport", swiftSettings: settings),
        tests("Documents", []),
        tests("Patterns", []),
        tests("JSONSchemas", ["Documents", "Benchmarks"]),
        tests("ModelFiles", []),
        tests("Tokenizers", ["Documents", "ModelFiles"]),
        tests("Constraints", ["JSONSchemas", "Documents", "Tokenizers", "Patterns", "Benchmarks"]),
        tests("Inference", ["ModelFiles", "Tokenizers", "CKernels", "Documents"]),
        tests("Generation", ["Constraints", "Inference", "Tokenizers", "JSONSchemas", "Documents"]),
        tests("Transformations", ["JSONSchemas", "Documents"]),
        tests("Jobs", []),
        tests("Formwork", []),
        tests(
            "StructuredDerivation",
            [
                .product(name: "SwiftParser", package: "swift-syntax"),
                .product(name: "SwiftSyntax", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacroExpansion", package: "swift-syntax"),
                .product(name: "SwiftSyntaxMacrosGenericTestSupport", package: "swift-syntax"),
            ]
        ),
        tests("Service", ["Documents", "JSONSchemas"]),
        tests("Commands", ["Benchmarks", "Documents", "Inference", "ModelFiles", "formwork-cli"]),
    ],
    cLanguageStandard: .c11
)

// swift-syntax takes longer to build than everything else. So parts of the package can be left out: all is there unless the
// environment says otherwise.
let libraryParts: Set = ["Formwork", "FormworkMacros", "StructuredDerivation", "FormworkTests", "StructuredDerivationTests"]
let libraryPackages = ["BigInt", "swift-syntax"]

switch Context.environment["FORMWORK_TARGETS"] ?? "all" {
case "all": break
case "service":
    // The command line and the service with all tests but those of the library.
    package.products.removeAll { $0.name == "Formwork" }
    package.targets.removeAll { libraryParts.contains($0.name) }
    package.dependencies.removeAll { isFrom("swift-syntax", $0) }
case "library":
    // The library and its tests.
    let others: Set = ["Service", "Commands", "Jobs", "Benchmarks", "formwork-cli", "formwork-loops"]
    package.products.removeAll { $0.name == "formwork" }
    package.targets.removeAll { others.contains($0.name) || $0.type == .test && !libraryParts.contains($0.name) }
    package.dependencies.removeAll { dependency in !libraryPackages.contains { isFrom($0, dependency) } }
case let other:
    fatalError("FORMWORK_TARGETS is 'all', 'service' or 'library', not '\(other)'")
}

func isFrom(_ name: String, _ dependency: Package.Dependency) -> Bool {
    guard case .sourceControl(_, let location, _) = dependency.kind else { return false }
    return location.hasSuffix("/" + name)
}
