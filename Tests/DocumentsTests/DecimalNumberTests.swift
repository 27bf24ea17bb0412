// SPDX-License-Identifier: Apache-2.0

import BigInt
import Documents
import Testing

struct DecimalNumberTests {
    @Test(arguments: [
        ("1", "1.0"), ("1", "10e-1"), ("0", "-0.0e5"), ("100", "1E+2"), ("0.5", "5e-1"),
        ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
    ])
    func equalHoweverWritten(_ a: String, _ b: String) throws {
        let (x, y) = (try #require(DecimalNumber(a)), try #require(DecimalNumber(b)))
        #expect(x == y)
        #expect(x.hashValue == y.hashValue)
        #expect(!(x < y) && !(y < x))
    }

    @Test(arguments: ["", "-", "01", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "1 ", " 1", "1_000", "--1"])
    func refuses(_ text: String) { #expect(DecimalNumber(text) == nil) }

    @Test func refusesWhatIsBeyondTheLimits() {
        #expect(DecimalNumber("1e1000000000000") != nil)
        #expect(DecimalNumber("1e1000000000001") == nil)
        #expect(DecimalNumber("1e99999999999999999999999") == nil)
        #expect(DecimalNumber(String(repeating: "7", count: 20_001)) == nil)
        #expect(DecimalNumber("0e99999999999999999999999") == .zero)
    }

    @Test(arguments: [
        ("1", "2"), ("-2", "-1"), ("-1", "1"), ("0.1", "0.2"), ("9", "1e1"), ("1e400", "1e401"), ("-1e400", "-1e399"),
        ("1e-400", "1e-399"), ("0", "1e-1000000000"), ("-1e1000000000", "0"),
        ("9223372036854775807", "9223372036854775808"),
        ("99999999999999999999999", "1e23"), ("1e22", "99999999999999999999999"), ("-1e23", "-99999999999999999999999"),
        ("1", "1e1000000000"), ("9007199254740992", "9007199254740993"), ("1.5", "2"), ("-100000000000000000000", "5"),
    ])
    func orders(_ low: String, _ high: String) throws {
        let (a, b) = (try #require(DecimalNumber(low)), try #require(DecimalNumber(high)))
        #expect(a < b)
        #expect(!(b < a))
        #expect(a != b)
    }

    @Test(arguments: [
        ("19.99", "0.01", true), ("19.99", "0.02", false), ("0.3", "0.1", true), ("1e308", "0.5", true),
        ("1e1000000000", "7", false), ("1e1000000000", "8", true), ("0", "7", true), ("7", "0", false),
        ("7", "-7", true), ("12391239123", "1e-8", true), ("1.5", "10", false), ("-9223372036854775808", "-1", true),
        ("123456789012345678901234567890", "10", true), ("3074457345618258602.3", "3", false),
    ])
    func isMultiple(_ a: String, _ b: String, _ expected: Bool) throws {
        #expect(try #require(DecimalNumber(a)).isMultiple(of: try #require(DecimalNumber(b))) == expected)
    }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("1.50", "1.5"), ("100", "100"), ("1e400", "1e400"), ("1E-400", "1e-400"),
        ("1.25e-300", "1.25e-300"), ("0.000001", "0.000001"), ("12.5e3", "12500"), ("-0.001", "-0.001"),
        ("123456789012345678901234567890", "123456789012345678901234567890"), ("1e20", "100000000000000000000"),
        ("1e21", "1e21"), ("-123e-2", "-1.23"),
    ])
    func describes(_ text: String, _ expected: String) throws {
        let number = try #require(DecimalNumber(text))
        #expect(number.description == expected)
        #expect(DecimalNumber(number.description) == number)
    }

    @Test func calculates() throws {
        func n(_ text: String) throws -> DecimalNumber { try #require(DecimalNumber(text)) }
        #expect(try n("0.1") + n("0.2") == n("0.3"))
        #expect(try n("9223372036854775807") + n("1") == n("9223372036854775808"))
        #expect(try n("9223372036854775808") - n("1") == n("9223372036854775807"))
        #expect(try n("0.5") * n("4") == n("2"))
        #expect(try -n("-9223372036854775808") == n("9223372036854775808"))
        #expect(try n("99999999999") * n("99999999999") == n("9999999999800000000001"))
        #expect(try n("1e1000000000") + n("1") == n("1e1000000000"))
        #expect(try n("-1.5").floor == n("-2"))
        #expect(try n("-1.5").ceiling == n("-1"))
        #expect(try n("1.5").floor == n("1"))
        #expect(try n("1e-99999999").ceiling == n("1"))
    }

    @Test func converts() throws {
        #expect(try #require(DecimalNumber("1e3")).intValue == 1000)
        #expect(try #require(DecimalNumber("1.0")).intValue == 1)
        #expect(try #require(DecimalNumber("1.5")).intValue == nil)
        #expect(try #require(DecimalNumber("1e19")).intValue == nil)
        #expect(try #require(DecimalNumber("1e400")).doubleValue == .infinity)
        #expect(try #require(DecimalNumber("0.1")).doubleValue == 0.1)
        #expect(try #require(DecimalNumber("123456789.123456789123")).doubleValue == 123456789.123456789123)
        #expect(DecimalNumber(1.0) == 1)
        #expect(DecimalNumber(1e300)?.description == "1e300")
        #expect(DecimalNumber(Double.nan) == nil)
        #expect(DecimalNumber(coefficient: BigInt(10).power(3000), exponent: -3000) == 1)
    }
}
