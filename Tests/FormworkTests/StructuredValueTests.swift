// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation
import Testing

struct StructuredValueTests {
    /// The value that a text reads as, which must write and read as the same again.
    private func read<Value: Structured & Equatable>(_ type: Value.Type, _ json: String) throws -> Value {
        let value = try Value(structuredValue: StructuredValue(json: json))
        let again = try Value(structuredValue: StructuredValue(json: value.structuredValue.json))
        #expect(again == value)
        return value
    }

    private func message<Value: Structured>(_ type: Value.Type, _ json: String) throws -> String {
        let value = try StructuredValue(json: json)
        do throws(StructuredValueError) {
            return "read as \(try Value(structuredValue: value))"
        } catch {
            return "\(error)"
        }
    }

    @Test func readsStructs() throws {
        let contact = try read(
            Contact.self, #"{"name": "Ada", "age": 36, "email": "a@b", "tags": ["x", "y"]}"#)
        #expect(contact == Contact(name: "Ada", age: 36, email: "a@b", tags: ["x", "y"]))
    }

    @Test(arguments: ["", #", "age": null"#]) func absenceAndNullAreNil(_ age: String) throws {
        let contact = try read(Contact.self, #"{"name": "Ada", "email": "a@b", "tags": []\#(age)}"#)
        #expect(contact.age == nil)
    }

    @Test func whatIsAbsentHasItsDefault() throws {
        let person = try read(Person.self, #"{"name": "Ada"}"#)
        #expect(person == Person(name: "Ada", role: .other, shoeSize: 42))
        #expect(try read(Person.self, #"{"name": "Ada", "shoeSize": null}"#).shoeSize == nil)
        #expect(try read(Person.self, #"{"name": "Ada", "role": null}"#).role == .other)
        let company = try read(
            Company.self,
            #"{"office": {"street": "", "postcode": "1"}, "stock": {"b": 2, "a": 1}, "colours": [null, "default"]}"#)
        #expect(company.staff == [])
        #expect(company.warehouse == nil)
        #expect(company.stock == ["a": 1, "b": 2])
        #expect(company.colours == [nil, .default])
        #expect(company.level == .low)
    }

    @Test func readsEnums() throws {
        #expect(try read(Role.self, #""something else""#) == .other)
        #expect(try read(Level.self, "10") == .high)
        #expect(try read(Level.self, "1.0e1") == .high)
        #expect(try message(Role.self, #""other""#) == #""other" is none of the values of 'Role'"#)
    }

    @Test func readsCasesWithValues() throws {
        let point = #"{"x": 1, "y": 2}"#
        #expect(try read(Shape.self, #""none""#) == Shape.none)
        #expect(
            try read(Shape.self, #"{"circle": {"radius": 1.5, "centre": \#(point)}}"#)
                == .circle(radius: 1.5, centre: Point(x: 1, y: 2)))
        #expect(try read(Shape.self, #"{"group": [{"text": "a"}, "none"]}"#) == .group([.text("a"), .none]))
        #expect(
            try read(Shape.self, #"{"line": {"from": \#(point)}}"#)
                == .line(from: Point(x: 1, y: 2), to: nil, width: 1))
        #expect(try message(Shape.self, #"{"none": 1}"#) == "the case 'none' of 'Shape' has no values")
        #expect(try message(Shape.self, #""text""#) == "the case 'text' of 'Shape' needs its values")
        #expect(try message(Shape.self, #"{"box": 1}"#) == "'Shape' has no case 'box'")
        #expect(try message(Shape.self, #"{"group": ["none", {"text": 1}]}"#).hasPrefix("group.1.text: a text is read"))
    }

    @Test func keepsAllDigits() throws {
        #expect(try read(Int.self, "9223372036854775807") == .max)
        #expect(try read(Int.self, "-9223372036854775808") == .min)
        #expect(try read(UInt64.self, "18446744073709551615") == .max)
        #expect(try read(Int8.self, "-1.28e2") == -128)
        #expect(try read(Double.self, "0.1") == 0.1)
        #expect(try read(Double.self, "1.7976931348623157e308") == .greatestFiniteMagnitude)
        #expect(try read(Float.self, "3.4028235e38") == .greatestFiniteMagnitude)
        #expect(
            try read(Decimal.self, "1234567890123456789.12345678901234567").description
                == "1234567890123456789.12345678901234567")
        #expect(try read(Decimal.self, "-5e-99") == Decimal(string: "-5e-99"))
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "1e99", "0.5", "\"1\"", "null"])
    func integersThatDoNotFitAreErrors(_ json: String) throws {
        #expect(try message(Int.self, json).contains("'Int'"))
    }

    @Test func numbersThatDoNotFitAreErrors() throws {
        #expect(try message(Double.self, "1e400") == "1e400 is too large for 'Double'")
        #expect(try message(Float.self, "1e39") == "1e39 is too large for 'Float'")
        #expect(try message(Decimal.self, "0." + String(repeating: "12", count: 30)).contains("more digits"))
    }

    @Test func tellsWhereAValueDoesNotFit() throws {
        #expect(try message(Contact.self, #"{"name": "Ada"}"#) == "there is no 'email'")
        #expect(
            try message(Contact.self, #"{"name": "Ada", "email": "a@b", "tags": ["x", 1]}"#)
                == "tags.1: a text is read from a string, not from a number")
        #expect(try message(Contact.self, "[]") == "'Contact' is read from an object, not from an array")
    }

    @Test func keysThatSwiftTakesForTheSameAreAnError() throws {
        #expect(try message([String: Int].self, "{\"\u{E9}\": 1, \"e\u{301}\": 2}").contains("takes for the same"))
    }

    @Test(arguments: [
        ("2024-02-29T23:59:59Z", 730_943_999.0), ("2001-01-01T00:00:00Z", 0),
        ("2001-01-01t00:00:00.25+01:00", -3599.75),
        ("1970-01-01T00:00:00-00:30", -978_305_400), ("0000-03-01T00:00:00Z", -63_140_342_400),
        ("1998-12-31T23:59:60Z", -63_158_400), ("2016-12-31", 504_835_200),
    ])
    func readsDates(_ text: String, _ seconds: Double) throws {
        let date = try read(Date.self, "\"\(text)\"")
        #expect(date.timeIntervalSinceReferenceDate == seconds)
        if !text.contains(":60") {
            let formatter = ISO8601DateFormatter()
            if text.contains(".") { formatter.formatOptions.insert(.withFractionalSeconds) }
            if let expected = formatter.date(from: text.uppercased()), seconds > -50_000_000_000 {
                #expect(abs(expected.timeIntervalSince(date)) < 0.001)
            }
        }
    }

    @Test(arguments: [-63_113_904_000.0, -1, 0, 0.5, 1e9 + 0.25, 252_423_993_599])
    func writesDates(_ seconds: Double) throws {
        let date = Date(timeIntervalSinceReferenceDate: seconds)
        #expect(try Date(structuredValue: date.structuredValue) == date)
    }

    @Test(arguments: ["2024", "2024-1-01", "2024-13-01", "2024-01-01T", "2024-01-01T00:00", "2024-01-01T00:00:00", "x"])
    func refusesOtherDates(_ text: String) throws {
        #expect(try message(Date.self, "\"\(text)\"").contains("is no date"))
    }

    @Test func datesWithoutATimeAreWrittenSo() throws {
        let event = Event(
            id: UUID(), start: Date(timeIntervalSinceReferenceDate: 0),
            day: Date(timeIntervalSinceReferenceDate: 86_400),
            page: try #require(URL(string: "https://example.org/a?b#c")), contact: nil, isPublic: true)
        #expect(event.structuredValue.json.contains(#""day":"2001-01-02""#))
        #expect(event.structuredValue.json.contains(#""start":"2001-01-01T00:00:00Z""#))
        #expect(!event.structuredValue.json.contains("contact"))
        #expect(try Event(structuredValue: event.structuredValue) == event)
    }
}
