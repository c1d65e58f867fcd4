// swift-tools-version: 6.2
import PackageDescription

// Imports point one way: topkd -> Service -> Protocols -> {MicroHTTPD, Encodings} -> Execution ->
// Operators -> Platform. docs/design/dependencies.md gives the reason for each dependency.
let package = Package(
    name: "topkd",
    products: [.executable(name: "topkd", targets: ["topkd"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C and C++: the kernels, and what stands between Swift and C libraries.
        // GnuTLS by name, so that the linker knows whose function tls.c stands before.
        .target(
            name: "CMicroHTTPD",
            linkerSettings: [.linkedLibrary("microhttpd"), .linkedLibrary("gnutls")]),
        .target(name: "CTextFloats", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CInflate", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CKernels"),
        .target(name: "CContract", exclude: ["openapi.json"]),
        .systemLibrary(name: "CMalloc"),

        .target(name: "Platform"),
        .target(name: "MicroHTTPD", dependencies: ["CMicroHTTPD", "Platform"]),
        .target(name: "Operators", dependencies: ["CKernels", "Platform"]),
        .target(name: "Metrics"),
        .target(name: "Execution", dependencies: ["Operators", "Platform"]),
        .target(
            name: "Encodings", dependencies: ["CInflate", "CTextFloats", "Execution", "Operators"]),
        .target(
            name: "Protocols", dependencies: ["Encodings", "Execution", "MicroHTTPD", "Operators"]),
        .target(
            name: "Service",
            dependencies: [
                "CContract", "CMalloc", "Encodings", "Execution", "Metrics", "MicroHTTPD",
                "Operators", "Platform", "Protocols",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "topkd",
            dependencies: [
                "Service", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // Not part of the service: `swift build --product topkd` leaves these two and all below
        // out, but wants to see their folders (.dockerignore).
        .executableTarget(
            name: "accuracy",
            dependencies: [
                "Operators", "Fixtures",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/accuracy"),

        .executableTarget(
            name: "kernels",
            dependencies: [
                "CKernels", "Operators",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/kernels",
            exclude: [
                "README.md", "bench_further.py", "bench_kernels.py", "bench_worst.py",
                "peer_numba.py",
                "requirements.txt",
            ],
            sources: ["Kernels.swift", "Team.swift"]),

        .target(
            name: "Fixtures",
            dependencies: [
                "Encodings", "Execution", "MicroHTTPD", "Operators", "Protocols", "Service",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fixtures", resources: [.copy("Golden")]),
        .testTarget(name: "OperatorsTests", dependencies: ["Operators", "Fixtures"]),
        .testTarget(name: "MetricsTests", dependencies: ["Metrics"]),
        .testTarget(name: "MicroHTTPDTests", dependencies: ["MicroHTTPD", "Fixtures"]),
        .testTarget(name: "ExecutionTests", dependencies: ["Execution", "Fixtures"]),
        .testTarget(name: "EncodingsTests", dependencies: ["Encodings", "Fixtures"]),
        .testTarget(name: "ServiceTests", dependencies: ["Service", "Fixtures"]),
        .testTarget(
            name: "HostileTests", dependencies: ["Operators", "Service", "Fixtures"]),
        .testTarget(
            name: "ContractTests",
            dependencies: ["Service", "Fixtures", .product(name: "Yams", package: "Yams")]),
    ],
    cxxLanguageStandard: .cxx20
)

// Accesses to the same memory that overlap are found by the compiler and, where only a run can
// tell, by debug builds, which the tests are. Looking for them took a thirtieth of a request.
for target in package.targets where target.type != .test && target.type != .system {
    target.swiftSettings = [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]
}

// Has no main of its own: only script/fuzz builds it.
if Context.environment["TOPKD_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "Encodings", "Execution", "MicroHTTPD", "Operators", "Protocols", "Service",
            ],
            path: "Tests/Fuzz", exclude: ["Corpus"]))
    package.products.append(.executable(name: "Fuzz", targets: ["Fuzz"]))
}
