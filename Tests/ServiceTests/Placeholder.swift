import Fixtures
import Testing

@Test func smoke() throws {
    let service = try LiveService()
    defer { service.stop() }
    let r = try service.client().request("GET", "/livez")
    #expect(r.status == 200)
}
