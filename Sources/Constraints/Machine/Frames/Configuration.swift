// SPDX-License-Identifier: Apache-2.0

/// A state and a tag: one way in which the innermost frame can go on, and what it means for the frame around it.
struct Alternative {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }
    init(state: UInt32, tag: UInt32) { rawValue = UInt64(state) << 32 | UInt64(tag) }

    var state: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    var tag: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

/// The innermost frame and the frames around it.
struct Configuration: Hashable {
    enum Kind: UInt8 {
        case dead, done
        /// Before a value; states are nodes.
        case value
        /// Within `null`, `true` or `false`; states are zero.
        case literal
        case number, string
        /// After `[`, after an element, and in the white space before `]`; states are array states.
        case arrayOpen, arrayAfter, arrayClosing
        /// After `{`, after a member, and in the white space before `}`; states are object states.
        case objectOpen, objectAfter, objectClosing
        /// Before the quote of a key; states are object states.
        case keyStart
        /// Within a key; states are key states.
        case key
        /// After a key; states are nodes.
        case colon
    }

    var kind: Kind
    /// The lexical state: pending white space, the place within a literal or within a character.
    var aux: UInt32
    /// The alternatives, as an interned list.
    var alternatives: UInt32
    /// The frames around.
    var context: UInt32
    /// The text so far, where it matters.
    var text: UInt32
}

/// A suspended frame.
struct Context: Hashable {
    enum Kind: UInt8 {
        case root, array, object
    }

    var kind: Kind
    /// For each tag of the inner frame, the alternatives of this frame after the value, as an interned table.
    var table: UInt32
    var parent: UInt32
    /// Whether the text is kept while the inner value is read.
    var isRecording: Bool
    /// Whether the inner value must differ from others.
    var isUnique: Bool
    /// The text before the inner value.
    var mark: UInt32
}

/// White space that must or may come before the next token of the JSON text.
enum Spacing {
    /// The bit that asks for a line break first.
    static let lineBreak: UInt32 = 1 << 31

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}

/// How far a key has come.
struct KeyState: Hashable {
    /// The state of the object before the member.
    var object: UInt32
    /// The index of the anonymous keys, or -1 for the named ones.
    var kind: Int32 = -1
    /// The place among the spellings of the named keys.
    var position = FiniteTexts.Position.none
    /// The state of an anonymous key.
    var string = StringState(shape: 0)
}

extension Configuration: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        var print = mixed(seed, UInt64(kind.rawValue) << 32 | UInt64(aux))
        print = mixed(print, UInt64(alternatives) << 32 | UInt64(context))
        return mixed(print, UInt64(text))
    }
}

extension Context: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        let flags = UInt64(kind.rawValue) | (isRecording ? 4 : 0) | (isUnique ? 8 : 0)
        return mixed(mixed(seed, UInt64(table) << 32 | UInt64(parent)), UInt64(mark) << 4 | flags)
    }
}

extension KeyState: Fingerprinted {
    func fingerprint(_ seed: UInt64) -> UInt64 {
        let print = mixed(seed, UInt64(object) << 32 | UInt64(UInt32(bitPattern: kind)))
        return string.fingerprint(position.fingerprint(print))
    }
}
