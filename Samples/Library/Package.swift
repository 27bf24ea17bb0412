// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "contacts",
    platforms: [.macOS(.v15)],
    // In a package of your own: .package(url: "…/formwork", branch: "main")
    dependencies: [.package(name: "formwork", path: "../..")],
    targets: [
        .executableTarget(name: "contacts", dependencies: [.product(name: "Formwork", package: "formwork")])
    ]
)
