/// The release; CHANGELOG.md and openapi.yaml name the same, and a test compares them.
package enum Version {
    package static let current = "0.1.0"
}
