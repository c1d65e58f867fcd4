import Fixtures
import Operators

/// Raw numbers and their query: sizes that overflow or do not fit, escapes, bad values.
enum BinaryCases {
    static let all = lengths + overflows + spellings + words + payloads

    private static func bad(
        _ name: String, _ query: String, _ byteCount: Int, _ code: String,
        _ status: Set<Int> = [422], path: String = "/topk"
    ) -> HostileCase {
        HostileCase(
            "raw: " + name, Text.octets(query, Text.zeros(byteCount), path: path), status, .keeps,
            code)
    }

    private static let lengths: [HostileCase] =
        // Neither whole numbers nor whole rows.
        [1, 2, 3, 5, 7, 11, 13, 16].map {
            bad("\($0) bytes for rows of 12", "n=3&k=1", $0, "wrong_body_length")
        } + [
            bad("odd, float16", "n=1&k=1&dtype=float16", 3, "wrong_body_length"),
            bad("odd, bfloat16", "n=1&k=1&dtype=bfloat16", 5, "wrong_body_length"),
            bad("half of a float64", "n=1&k=1&dtype=float64", 12, "wrong_body_length"),
            bad("shape of more", "shape=2,3&k=1", 12, "wrong_body_length"),
            bad("shape of fewer", "shape=1,3&k=1", 24, "wrong_body_length"),
            bad("x without a cotangent", "n=3&k=1", 12, "wrong_body_length", path: "/topk/vjp"),
            bad("x without a tangent", "n=3&k=1", 12, "wrong_body_length", path: "/topk/jvp"),
            bad(
                "cotangents beyond the body", "n=3&k=1&cotangents=65536", 24, "wrong_body_length",
                path: "/topk/vjp"),
        ]

    private static let overflows: [HostileCase] = [
        bad("n = 0", "n=0&k=1", 12, "out_of_range"),
        bad("n = -0", "n=-0&k=1", 12, "wrong_type"),
        bad("n = 2^31 - 1", "n=2147483647&k=1", 12, "wrong_body_length"),
        bad("n = 2^31", "n=2147483648&k=1", 12, "out_of_range"),
        bad("n = 2^32 + 3", "n=4294967299&k=1", 12, "out_of_range"),
        bad("n = 2^62", "n=4611686018427387904&k=1", 12, "out_of_range"),
        bad("n = 2^63", "n=9223372036854775808&k=1", 12, "out_of_range"),
        bad("n = 2^64 + 3", "n=18446744073709551619&k=1", 12, "out_of_range"),
        bad("n of 10,000 digits", "n=" + LineCases.run("9", 10_000) + "&k=1", 12, "out_of_range"),
        bad("shape 0,3", "shape=0,3&k=1", 0, "out_of_range"),
        bad("shape 3,0", "shape=3,0&k=1", 0, "out_of_range"),
        bad("shape 2^31,2^31", "shape=2147483648,2147483648&k=1", 12, "out_of_range"),
        bad("shape 2^40,2^31-1", "shape=1099511627776,2147483647&k=1", 12, "too_many_elements"),
        bad("shape 2^41,1", "shape=2199023255552,1&k=1", 12, "out_of_range"),
        bad("shape 2^62,4", "shape=4611686018427387904,4&k=1", 12, "out_of_range"),
        bad("shape 2^63,2", "shape=9223372036854775808,2&k=1", 12, "out_of_range"),
        bad(
            "cotangents = 2^63", "n=3&k=1&cotangents=9223372036854775808", 24, "out_of_range",
            path: "/topk/vjp"),
        bad(
            "cotangents by shape overflow", "shape=34359738368,8&k=1&cotangents=65536", 24,
            "too_many_elements", path: "/topk/vjp"),
        bad("k = 4", "n=3&k=4", 12, "out_of_range"),
        bad("k = 2^63", "n=3&k=9223372036854775808", 12, "out_of_range"),
        bad("k = 2^64 + 1", "n=3&k=18446744073709551617", 12, "out_of_range"),
        bad("k = 1e400", "n=3&k=1e400", 12, "out_of_range"),
        bad("lambda = -1e400", "n=3&k=1&lambda=-1e400", 12, "out_of_range"),
        bad(
            "lambda of 300 digits", "n=3&k=1&lambda=-" + LineCases.run("1", 300), 12, "out_of_range"
        ),
        bad("p = 1e308", "n=3&k=1&p=1e308", 12, "out_of_range"),
        bad("p = 0", "n=3&k=1&p=0", 12, "out_of_range"),
        bad("width = 2^63", "n=3&k=1&format=padded&width=9223372036854775808", 12, "out_of_range"),
    ]

    private static let spellings: [HostileCase] = [
        bad("k empty", "n=3&k=", 12, "wrong_type"),
        bad("k = +1", "n=3&k=+1", 12, "wrong_type"),
        bad("n = %2B3", "n=%2B3&k=1", 12, "wrong_type"),
        bad("k = %2B1", "n=3&k=%2B1", 12, "wrong_type"),
        bad("k with a space behind", "n=3&k=1+", 12, "wrong_type"),
        bad("k = %20", "n=3&k=%20", 12, "wrong_type"),
        bad("k = 0x1", "n=3&k=0x1", 12, "wrong_type"),
        bad("k = nan", "n=3&k=nan", 12, "wrong_type"),
        bad("lambda = inf", "n=3&k=1&lambda=inf", 12, "wrong_type"),
        bad("lambda = -nan", "n=3&k=1&lambda=-nan", 12, "wrong_type"),
        bad("lambda = .", "n=3&k=1&lambda=.", 12, "wrong_type"),
        bad("p = 4%2F0", "n=3&k=1&p=4%2F0", 12, "wrong_type"),
        bad("n = 3,", "n=3,&k=1", 12, "wrong_type"),
        bad("shape = ,", "shape=,&k=1", 12, "wrong_type"),
        bad("shape empty", "shape=&k=1", 12, "wrong_type"),
        bad("shape 1,1,3", "shape=1,1,3&k=1", 12, "wrong_shape"),
        bad(
            "shape with many axes", "shape=1" + LineCases.run(",1", 5000) + "&k=1", 12,
            "wrong_shape"),
        bad("fullwidth digit", "n=3&k=%EF%BC%91", 12, "wrong_type"),
        bad("Arabic digit", "n=%D9%A3&k=1", 12, "wrong_type"),
        bad("k twice", "n=3&k=1&k=1", 12, "duplicate_key", [400]),
        bad("k twice, once escaped", "n=3&k=1&%6b=1", 12, "duplicate_key", [400]),
        bad("k with no =", "n=3&k", 12, "invalid_query", [400]),
        bad("only =", "=", 12, "unknown_parameter"),
        bad("two =", "n=3&k=1=1", 12, "wrong_type"),
        bad("% at the end", "n=3&k=1%", 12, "invalid_query", [400]),
        bad("%1 at the end", "n=3&k=1%1", 12, "invalid_query", [400]),
        bad("%zz", "n=3&k=%zz", 12, "invalid_query", [400]),
        bad("%u0031", "n=3&k=%u0031", 12, "invalid_query", [400]),
        bad("%-1", "n=3&k=%-1", 12, "invalid_query", [400]),
        bad("%ff", "n=3&k=%ff", 12, "invalid_query", [400]),
        bad("overlong UTF-8", "n=3&k=%c0%b1", 12, "invalid_query", [400]),
        bad("surrogate", "n=3&k=%ed%a0%80", 12, "invalid_query", [400]),
        bad("a line end in a value", "n=3&k=1%0d%0aX:y", 12, "wrong_type"),
        bad("escaped twice", "n=3&k=%2531", 12, "wrong_type"),
        bad("; for &", "n=3;k=1", 12, "wrong_type"),
        bad("&amp;", "n=3&amp;k=1", 12, "unknown_parameter"),
        HostileCase(
            "raw: query of escapes is the same query",
            Text.octets("%6e=%33&&k=%31&", Text.zeros(12)), [200], .keeps),
    ]

    private static let words: [HostileCase] =
        ["float", "Float32", "f4", "int32", "float128", "", "float32%20", "float32,float64"].map {
            bad("dtype \($0)", "n=3&k=1&dtype=\($0)", 12, "out_of_range")
        } + [
            bad("format", "n=3&k=1&format=coo", 12, "out_of_range"),
            bad("index_dtype", "n=3&k=1&index_dtype=int8", 12, "out_of_range"),
            bad("solver", "n=3&k=1&solver=magic", 12, "out_of_range"),
            bad("operator", "n=3&k=1&operator=max", 12, "unknown_operator"),
            bad("operator in other case", "n=3&k=1&operator=Mask", 12, "unknown_operator"),
            bad("operator empty", "n=3&k=1&operator=", 12, "unknown_operator"),
            bad("largest", "n=3&k=1&largest=True", 12, "wrong_type"),
            bad("unknown", "n=3&k=1&q=1", 12, "unknown_parameter"),
            bad("x", "n=3&k=1&x=1", 12, "misplaced_parameter", [400]),
            bad("w", "n=3&w=1,0,0", 12, "misplaced_parameter", [400]),
            bad("cotangents forward", "n=3&k=1&cotangents=1", 12, "misplaced_parameter", [400]),
            HostileCase(
                "JSON with a query", Text.json(Text.body, target: "/topk?k=1"), [400], .keeps,
                "misplaced_parameter"),
        ]

    private static let payloads: [HostileCase] = DType.allCases.flatMap { dtype in
        [Double.nan, .infinity].map { value in
            let text = Wire.bytes([1, value, 2], dtype == .bfloat16 ? .float32 : dtype)
                .map { String(UnicodeScalar($0)) }.joined()
            // The upper half of a float32 is a bfloat16; an infinity keeps its bits.
            let cut = dtype == .bfloat16 ? upperHalves(text) : text
            return HostileCase(
                "raw: \(value) among \(dtype.rawValue)",
                Text.octets("n=3&k=1&dtype=\(dtype.rawValue)", cut), [422], .keeps, "not_finite")
        }
    }

    private static func upperHalves(_ text: String) -> String {
        let bytes = Array(text.unicodeScalars)
        return bytes.indices.filter { $0 % 4 > 1 }.map { String(bytes[$0]) }.joined()
    }
}
