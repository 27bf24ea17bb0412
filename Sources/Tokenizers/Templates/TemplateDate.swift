// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A civil date and time, as a template's `strftime_now` prints it.
public struct TemplateDate: Hashable, Sendable {
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = min(max(month, 1), 12)
        self.day = min(max(day, 1), 31)
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The present time in the local time zone.
    public static var now: TemplateDate {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return TemplateDate(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec)
        )
    }

    /// Days since 1 March of the year 0 in the proleptic Gregorian calendar, which puts leap days last.
    private var dayNumber: Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (monthFromMarch * 306 + 5) / 10 + day - 1
    }

    /// 0 is Sunday.
    var weekday: Int { ((dayNumber + 3) % 7 + 7) % 7 }

    var dayOfYear: Int { dayNumber - TemplateDate(year: year, month: 1, day: 1).dayNumber + 1 }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The date in a `strftime` format, in English.
    func formatted(_ format: String) throws(TemplateError) -> String {
        var result = ""
        var scalars = format.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            var directive = scalars.next()
            var pads = true
            if directive == "-" {
                pads = false
                directive = scalars.next()
            }
            func padded(_ value: Int, _ width: Int, _ fill: String = "0") -> String {
                let text = String(value)
                return pads ? String(repeating: fill, count: max(0, width - text.count)) + text : text
            }
            let halfHour = hour % 12 == 0 ? 12 : hour % 12
            switch directive {
            case "Y": result += String(year)
            case "y": result += padded(((year % 100) + 100) % 100, 2)
            case "m": result += padded(month, 2)
            case "d": result += padded(day, 2)
            case "e": result += padded(day, 2, " ")
            case "H": result += padded(hour, 2)
            case "I": result += padded(halfHour, 2)
            case "M": result += padded(minute, 2)
            case "S": result += padded(second, 2)
            case "p": result += hour < 12 ? "AM" : "PM"
            case "B": result += Self.months[month - 1]
            case "b", "h": result += String(Self.months[month - 1].prefix(3))
            case "A": result += Self.weekdays[weekday]
            case "a": result += String(Self.weekdays[weekday].prefix(3))
            case "j": result += padded(dayOfYear, 3)
            case "w": result += String(weekday)
            case "u": result += String(weekday == 0 ? 7 : weekday)
            case "F": result += try formatted("%Y-%m-%d")
            case "T", "X": result += try formatted("%H:%M:%S")
            case "R": result += try formatted("%H:%M")
            case "D", "x": result += try formatted("%m/%d/%y")
            case "c": result += try formatted("%a %b %e %H:%M:%S %Y")
            case "f": result += "000000"
            case "z", "Z": break
            case "n": result += "\n"
            case "t": result += "\t"
            case "%": result += "%"
            default:
                let name = directive.map { "%" + String(Character($0)) } ?? "%"
                throw TemplateError(.unsupported, "the date format '\(name)' is not supported")
            }
        }
        return result
    }
}
