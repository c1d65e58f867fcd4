import Operators
import Testing

@testable import Encodings
@testable import Execution

/// Catches query strings that are guessed at.
@Suite struct QueryTests {
    @Test("names and values are unescaped")
    func unescapes() throws {
        let items = try Query.parse("p=4%2F3&a+b=c%20d&empty=&&n=5")
        #expect(
            items == [
                QueryItem(name: "p", value: "4/3"), QueryItem(name: "a b", value: "c d"),
                QueryItem(name: "empty", value: ""), QueryItem(name: "n", value: "5"),
            ])
    }

    @Test(
        "what is not well-formed is refused",
        arguments: [
            "a", "a=%", "a=%1", "a=%g1", "a=%ff%fe", "a=1&a=2",
            String(repeating: "a=1&", count: 20_000),
            (0...Limits.queryItemsMax).map { "a\($0)=1" }.joined(separator: "&"),
        ])
    func refuses(_ text: String) {
        do {
            _ = try Query.parse(text[...])
            Issue.record("\(text.prefix(20)) was taken")
        } catch {
            switch error {
            case .invalidQuery, .duplicateKey: break
            default: Issue.record("\(error)")
            }
        }
    }

    @Test("numbers are decimal, and nothing else that Swift would read as one")
    func numbers() {
        #expect(RawValue.number("1e-3") == 1e-3)
        for text in ["nan", "inf", "-infinity", "0x1p3", "", " 1", "1 "] {
            #expect(RawValue.number(text[...]) == nil, "\(text)")
        }
        let integer = ParameterSpec.Kind.integer(minimum: 1, maximum: nil, atMostRowLength: true)
        #expect(RawValue(queryText: "1,2,3", for: integer) == .numbers([1, 2, 3]))
        #expect(RawValue(queryText: "4/3", for: integer) == .text("4/3"))
    }
}
