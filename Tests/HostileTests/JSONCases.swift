/// JSON bodies that are none, that lie, or that cost more than they weigh.
enum JSONCases {
    static let all = syntax + bytes + numbers + shapes + members

    private static func bad(
        _ name: String, _ body: String, _ code: String, _ status: Set<Int> = [400],
        target: String = "/topk"
    ) -> HostileCase {
        HostileCase("JSON: " + name, Text.json(body, target: target), status, .keeps, code)
    }

    private static let deep = LineCases.run("[", 100_000)
    private static let deepEnd = LineCases.run("]", 100_000)

    private static let syntax: [HostileCase] =
        // Cut everywhere: no prefix of a request is a request.
        (0..<Text.body.utf8.count).map { count in
            bad("cut at \(count)", String(Text.body.prefix(count)), "invalid_json")
        } + [
            bad("only spaces", "   \t\r\n  ", "invalid_json"),
            bad("null", "null", "invalid_json"), bad("a string", "\"x\"", "invalid_json"),
            bad("an array", "[\(Text.body)]", "invalid_json"),
            bad("garbage behind", Text.body + "x", "invalid_json"),
            bad("a second object behind", Text.body + Text.body, "invalid_json"),
            bad("a closing brace behind", Text.body + "}", "invalid_json"),
            bad("a zero byte behind", Text.body + "\u{0}", "invalid_json"),
            bad("a comma behind a member", #"{"x":[3,1,2],"k":1,}"#, "invalid_json"),
            bad("a comma behind a number", #"{"x":[3,1,2,],"k":1}"#, "invalid_json"),
            bad("single quotes", "{'x':[3,1,2],'k':1}", "invalid_json"),
            bad("no quotes", "{x:[3,1,2],k:1}", "invalid_json"),
            bad("a comment", #"{"x":[3,1,2],/* */"k":1}"#, "invalid_json"),
            bad("two colons", #"{"x"::[3,1,2],"k":1}"#, "invalid_json"),
            bad("a number as a name", #"{1:[3,1,2],"k":1}"#, "invalid_json"),
            bad("brackets crossed", #"{"x":[3,1,2},"k":1]"#, "invalid_json"),
            bad("True", #"{"x":[3,1,2],"k":1,"largest":True}"#, "invalid_json"),
            bad("deep, open", #"{"x":"# + deep, "invalid_json"),
            bad("deep objects, open", LineCases.run(#"{"x":"#, 50_000), "invalid_json"),
            bad("deep, closed", #"{"x":"# + deep + deepEnd + #","k":1}"#, "too_deep"),
            bad(
                "deep in an unknown member", #"{"y":"# + deep + deepEnd + #","x":[1],"k":1}"#,
                "unknown_parameter", [422]),
            bad("a comma missing", #"{"x":[3,1,2]"k":1}"#, "invalid_json"),
            bad("a letter behind a number", #"{"x":[3,1,2],"k":1x}"#, "invalid_json"),
            bad("a letter behind the last number", #"{"x":[3,1,2x],"k":1}"#, "invalid_json"),
            bad("a letter behind true", #"{"x":[3,1,2],"k":1,"largest":truex}"#, "invalid_json"),
            bad("tru", #"{"x":[3,1,2],"k":1,"largest":tru}"#, "invalid_json"),
            bad("a word behind a string", #"{"x":[1],"k":1,"dtype":"float32"y}"#, "invalid_json"),
            bad("a quote missing", #"{"x":[1],"k":1,"dtype":"float32}"#, "invalid_json"),
        ]

    private static let bytes: [HostileCase] = [
        bad("byte order mark", "\u{ef}\u{bb}\u{bf}" + Text.body, "invalid_json"),
        bad("UTF-16", Text.body.map { "\($0)\u{0}" }.joined(), "invalid_json"),
        bad("invalid UTF-8 in a name", "{\"\u{ff}\":1,\"x\":[1],\"k\":1}", "invalid_json"),
        bad("overlong UTF-8", "{\"\u{c0}\u{af}\":1,\"x\":[1],\"k\":1}", "invalid_json"),
        bad("surrogate in UTF-8", "{\"\u{ed}\u{a0}\u{80}\":1,\"x\":[1],\"k\":1}", "invalid_json"),
        bad("cut UTF-8", "{\"\u{e2}\u{82}\":1,\"x\":[1],\"k\":1}", "invalid_json"),
        bad("lone surrogate in a name", #"{"\ud800":1,"x":[1],"k":1}"#, "invalid_json"),
        bad(
            "lone surrogate in a value", #"{"x":[1],"k":1,"operator":"\udc00"}"#, "invalid_json"),
        bad("bad escape", #"{"\q":1,"x":[1],"k":1}"#, "invalid_json"),
        bad("short escape", #"{"\u12":1,"x":[1],"k":1}"#, "invalid_json"),
        bad("newline in a string", "{\"x\n\":[1],\"k\":1}", "invalid_json"),
        bad("zero byte in a string", "{\"x\u{0}\":[1],\"k\":1}", "invalid_json"),
        bad("zero byte between", "{\"x\":[1],\u{0}\"k\":1}", "invalid_json"),
        bad(
            "an escaped zero in a name", #"{"x\u0000":1,"x":[1],"k":1}"#, "unknown_parameter", [422]
        ),
    ]

    private static let numbers: [HostileCase] = [
        literal("NaN"), literal("Infinity"), literal("-Infinity"), literal("inf"),
        literal("nan"), literal("nul"), literal("nulls"),
        literal("0x1"), literal("+1"), literal(".5"), literal("1."), literal("1e"), literal("1e+"),
        literal("--1"), literal("01"), literal("-"), literal("1_0"), literal("1,,2"),
        literal("1 2"), literal("undefined"),
        bad("1e999", #"{"x":[1e999],"k":1}"#, "number_too_large"),
        bad("-1e999 as lambda", #"{"x":[1],"k":1,"lambda":-1e999}"#, "number_too_large"),
        bad("400 digits", "{\"x\":[\(LineCases.run("9", 400))],\"k\":1}", "number_too_large"),
        bad(
            "100,000 digits", "{\"x\":[\(LineCases.run("9", 100_000))],\"k\":1}", "number_too_large"
        ),
        bad("beyond float32", #"{"x":[1e300],"k":1}"#, "out_of_range", [422]),
        bad("k of 20 digits", #"{"x":[1],"k":18446744073709551617}"#, "out_of_range", [422]),
        bad("k = 2^63", #"{"x":[1],"k":9223372036854775808}"#, "out_of_range", [422]),
        bad("k = 1e308", #"{"x":[1],"k":1e308}"#, "out_of_range", [422]),
        bad("k = -0", #"{"x":[1],"k":-0}"#, "out_of_range", [422]),
        bad("k a little above 1", #"{"x":[1,2],"k":1.0000001}"#, "wrong_type", [422]),
        bad("lambda < 0", #"{"x":[1],"k":1,"lambda":-1e-300}"#, "out_of_range", [422]),
        bad("p = 1", #"{"x":[1],"k":1,"p":1}"#, "out_of_range", [422]),
        bad("p = 1e308", #"{"x":[1],"k":1,"p":1e308}"#, "out_of_range", [422]),
        bad(
            "width = 1e300", #"{"x":[1],"k":1,"format":"padded","width":1e300}"#, "out_of_range",
            [422]),
    ]

    private static func literal(_ text: String) -> HostileCase {
        bad("number \(text)", "{\"x\":[3,\(text)],\"k\":1}", "invalid_json")
    }

    private static let shapes: [HostileCase] = [
        bad("ragged", #"{"x":[[1,2],[3]],"k":1}"#, "ragged_rows", [422]),
        bad("ragged, longer", #"{"x":[[1],[2,3]],"k":1}"#, "ragged_rows", [422]),
        bad("empty", #"{"x":[],"k":1}"#, "empty_rows", [422]),
        bad("one empty row", #"{"x":[[]],"k":1}"#, "empty_rows", [422]),
        bad("a row, then an empty one", #"{"x":[[1],[]],"k":1}"#, "ragged_rows", [422]),
        bad("an empty row, then one", #"{"x":[[],[1]],"k":1}"#, "ragged_rows", [422]),
        bad(
            "100,000 empty rows", "{\"x\":[[]\(LineCases.run(",[]", 99_999))],\"k\":1}",
            "empty_rows", [422]),
        bad("three axes", #"{"x":[[[1]]],"k":1}"#, "wrong_shape", [422]),
        bad("five axes", #"{"x":[[[[[1]]]]],"k":1}"#, "too_deep"),
        bad("a number among rows", #"{"x":[[1],2],"k":1}"#, "wrong_type", [422]),
        bad("a row among numbers", #"{"x":[1,[2]],"k":1}"#, "wrong_type", [422]),
        bad("an object among numbers", #"{"x":[1,{}],"k":1}"#, "wrong_type", [422]),
        bad("two k for three rows", #"{"x":[[1],[2],[3]],"k":[1,1]}"#, "wrong_shape", [422]),
        bad(
            "100,000 k for a row", "{\"x\":[1],\"k\":[1\(LineCases.run(",1", 99_999))]}",
            "wrong_shape", [422]),
        bad("empty k", #"{"x":[1],"k":[]}"#, "wrong_shape", [422]),
        bad(
            "cotangent of another shape", #"{"x":[1,2],"k":1,"cotangent":[[1,2,3]]}"#,
            "wrong_shape", [422], target: "/topk/vjp"),
        bad(
            "empty cotangent", #"{"x":[1,2],"k":1,"cotangent":[]}"#, "wrong_shape", [422],
            target: "/topk/vjp"),
    ]

    /// Each member with a value of each wrong type.
    private static let members: [HostileCase] =
        wrong("x", ["1", "\"1\"", "true", "null", "{}", "[true]", "[null]", "[\"a\"]"])
        + wrong("k", ["\"1\"", "true", "null", "{}", "[[1]]", "[\"1\"]"])
        + wrong("lambda", ["\"1\"", "true", "null", "{}", "[[1]]"])
        + wrong("p", ["\"2\"", "true", "null", "{}", "[2]"])
        + wrong("largest", ["1", "\"true\"", "null", "{}", "[]"])
        + wrong("operator", ["1", "true", "null", "{}", "[]"])
        + wrong("dtype", ["1", "true", "null", "{}", "[]"])
        + wrong("format", ["1", "true", "null", "{}", "[]"])
        + wrong("solver", ["1", "true", "null", "{}", "[]"])
        + wrong("index_dtype", ["1", "true", "null", "{}", "[]"])
        + wrong("width", ["\"1\"", "true", "null", "{}", "[]"])
        + wrong("w", ["1", "\"1\"", "true", "null", "{}", "[true]"])
        + [
            bad("a name twice", #"{"x":[1],"k":1,"x":[1]}"#, "duplicate_key"),
            bad("a name twice, once escaped", #"{"x":[1],"k":1,"\u006b":1}"#, "duplicate_key"),
            bad(
                "100,000 unknown names",
                "{" + (0..<100_000).map { "\"a\($0)\":1" }.joined(separator: ",") + "}",
                "invalid_json"),
            bad(
                "a name of 100,000 bytes", "{\"\(LineCases.run("n", 100_000))\":1}",
                "unknown_parameter", [422]),
            bad(
                "an operator of 100,000 bytes",
                "{\"x\":[1],\"k\":1,\"operator\":\"\(LineCases.run("o", 100_000))\"}",
                "unknown_operator", [422]),
            bad("an empty name", #"{"":1,"x":[1],"k":1}"#, "unknown_parameter", [422]),
            bad("a name with a line end", #"{"a\r\nSet-Cookie: b":1}"#, "unknown_parameter", [422]),
            bad("a prototype", #"{"__proto__":{},"x":[1],"k":1}"#, "unknown_parameter", [422]),
            bad("a name in other case", #"{"X":[1],"k":1}"#, "unknown_parameter", [422]),
        ]

    private static func wrong(_ name: String, _ values: [String]) -> [HostileCase] {
        values.map { value in
            let members = ["x": "[3,1,2]", "k": "1"].merging([name: value]) { $1 }
            // w stands in for k.
            let kept = members.filter { name != "w" || $0.key != "k" }.sorted { $0.key < $1.key }
            let body = "{" + kept.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
            return bad("\(name) is \(value)", body, "wrong_type", [422])
        }
    }
}
