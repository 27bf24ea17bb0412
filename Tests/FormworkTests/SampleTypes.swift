// SPDX-License-Identifier: Apache-2.0

import Formwork
import Foundation

/// A person named in the text.
@Structured
struct Contact: Equatable {
    /// The person's full name.
    var name: String
    @Guide(description: "Age in years", .range(0...150)) var age: Int?
    @Guide(.pattern("^[^@]+@[^@]+$"), .maximumLength(40)) var email: String
    @Guide(.count(1...5), .element(.length(1...12))) var tags: [String]
}

@Structured
enum Role: String {
    /// builds things
    case engineer
    case manager
    case other = "something else"
}

@Structured
enum Colour {
    case red, green
    case `default`
}

@Structured
enum Level: Int {
    case low = 1
    case high = 10
}

@Structured
struct Address: Equatable {
    var street: String
    @Guide(.pattern("^[0-9]{5}$")) var postcode: String
}

@Structured
struct Company: Equatable {
    /// Where letters go to.
    ///
    /// Not where it is taxed.
    var office: Address
    var warehouse: Address?
    var staff: [Person] = []
    @Guide(.count(0...3), .keys(.pattern("^[a-z]+$")), .values(.range(0...9))) var stock: [String: Int]
    var colours: [Colour?]
    var level: Level? = .low
}

@Structured
struct Person: Equatable {
    @Guide(.length(1...20)) var name: String
    var role: Role = .other
    @Guide(.range(1...99)) var shoeSize: Int? = 42
}

/// A part with parts of its own.
@Structured
struct Part: Equatable {
    @Guide(.length(1...8)) var name: String
    @Guide(.maximumCount(2)) var parts: [Part]
}

@Structured
indirect enum Shape: Equatable {
    /// nothing at all
    case none
    case circle(radius: Double, centre: Point)
    case text(String)
    case group([Shape])
    case line(from: Point, to: Point? = nil, width: Int = 1)
}

@Structured
struct Point: Equatable {
    var x: Float
    var y: Float
}

@Structured
struct Numbers: Equatable {
    var int: Int
    var int8: Int8
    var unsigned: UInt64
    var double: Double
    var float: Float
    var decimal: Decimal
    @Guide(.range(0..<1)) var share: Double
    @Guide(.exclusiveMinimum(0), .maximum(1)) var small: Float
    @Guide(.multipleOf(5), .range(...100)) var fives: Int
    @Guide(.multipleOf(0.01), .range(0...1000)) var price: Decimal
    @Guide(.anyOf([1, 2, 3])) var some: Int
    @Guide(.constant(7)) var seven: Int
}

@Structured
struct Event: Equatable {
    var id: UUID
    var start: Date
    @Guide(.format(.day)) var day: Date
    var page: URL
    @Guide(.format(.email)) var contact: String?
    var isPublic: Bool
}

/// A value that takes a while, whatever is chosen: work on it is under way when a test looks.
@Structured
struct LongList: Equatable {
    @Guide(.count(300...400)) var lines: [String]
}
