// SPDX-License-Identifier: Apache-2.0

package import Patterns

/// A configuration of a constraint machine: what the text so far leaves to be done.
///
/// Configurations are hash-consed: equal ids mean equal sets of completions, and an id stays valid as long as its
/// machine.
package struct ConfigID: Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The configuration without any completion.
    @inlinable
    package static var dead: ConfigID { ConfigID(rawValue: 0) }

    /// Whether there is no completion.
    @inlinable
    package var isDead: Bool { rawValue == 0 }
}

/// What a string may still contain, for work on many tokens at once.
///
/// The content of a string is characters that spell themselves, and canonical escapes. A run of *n* characters is
/// viable exactly when *n* is at most ``remainingScalars`` and the automaton, where there is one, can still finish
/// within the window that is left.
package struct StringBody {
    /// The automaton over the string's scalars; nil where any scalar may come next.
    package var automaton: Automaton?
    /// The automaton's state.
    package var state: Automaton.StateID
    /// The number of scalars that must still come.
    package var missingScalars: Int
    /// The number of scalars that may still come; nil where there is no bound.
    package var remainingScalars: Int?
    /// The bytes that complete the text once the content may end, the closing quote included: an upper bound; nil where
    /// none is known.
    package var closingCost: Int?
    /// The rests of content along which the automaton does not tell; there only a step does.
    package var detours: [[UInt8]] = []

    package init(
        automaton: Automaton? = nil, state: Automaton.StateID = .dead, missingScalars: Int = 0, remainingScalars: Int?,
        closingCost: Int? = nil
    ) {
        self.automaton = automaton
        self.state = state
        self.missingScalars = missingScalars
        self.remainingScalars = remainingScalars
        self.closingCost = closingCost
    }
}

/// What follows the closing quote of a string, whatever its content.
package struct StringEnd {
    /// A configuration after the quote. Where others differ from it, they allow the same bytes up to the end of the
    /// next key.
    package var closing: ConfigID
    /// The rests of content after which the string may not end, or goes on in another way.
    var exceptions: [Exception] = []

    /// Some texts of a set, without their first bytes, which have been read.
    struct Exception {
        var texts: FiniteTexts
        var range: Range<Int>
        var depth: Int
    }

    package init(closing: ConfigID, exceptions: [[UInt8]] = []) {
        self.closing = closing
        if !exceptions.isEmpty {
            let texts = FiniteTexts(exceptions)
            self.exceptions = [Exception(texts: texts, range: 0..<texts.texts.count, depth: 0)]
        }
    }

    init(closing: ConfigID, _ exceptions: [Exception]) {
        self.closing = closing
        self.exceptions = exceptions
    }
}

/// Text outside of JSON strings in which characters stand for themselves.
package struct FreeText {
    /// The automaton that tells which runs of characters are viable: those that keep it alive.
    package var automaton: Automaton?
    /// The automaton's state.
    package var state: Automaton.StateID = .dead
    /// Without an automaton: the classes of characters of which any run is viable.
    package var classes: UInt64 = 0

    package init(automaton: Automaton, state: Automaton.StateID) {
        self.automaton = automaton
        self.state = state
    }

    init(classes: UInt64) { self.classes = classes }
}

/// A deterministic machine over the bytes of a JSON text, built lazily.
///
/// The machine never keeps a dead end: each configuration other than ``ConfigID/dead`` has a completion, and
/// ``witness(_:)`` names a shortest one. A machine is used by one thread at a time.
package protocol ConstraintMachine: AnyObject {
    /// Bytes outside of which no completion ever goes: the vocabulary must be able to spell them.
    var alphabet: ByteSet { get }

    /// The configuration before the first byte.
    var start: ConfigID { get }

    /// The configuration after one more byte; dead if no valid text continues that way.
    func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID

    /// Whether the text so far is complete.
    func isAccepting(_ configuration: ConfigID) -> Bool

    /// The bytes that may come next: exactly those for which ``step(_:_:)`` is not dead.
    func allowedBytes(_ configuration: ConfigID) -> ByteSet

    /// A key such that configurations with equal keys allow the same tokens next.
    func maskKey(_ configuration: ConfigID) -> UInt64

    /// What may follow inside a string value or key; nil elsewhere, within an escape or within a character.
    func stringBody(_ configuration: ConfigID) -> StringBody?

    /// How a string goes on after its closing quote; nil where that is not the same for all content.
    ///
    /// Asked only where ``stringBody(_:)`` is not nil. The string may be closed exactly when its missing scalars have
    /// come and the automaton accepts, the exceptions aside.
    func stringEnd(_ configuration: ConfigID) -> StringEnd?

    /// Which runs of characters are viable, where whole runs are; nil within a character.
    ///
    /// Asked only where ``stringBody(_:)`` is nil. Other bytes may be viable as well.
    func freeText(_ configuration: ConfigID) -> FreeText?

    /// Whether the text is within a key that must be one of a few known texts.
    ///
    /// Asked only where ``stringBody(_:)`` and ``freeText(_:)`` are nil.
    func readsNamedKey(_ configuration: ConfigID) -> Bool

    /// The number of bytes of a shortest completion.
    func minimumCompletion(_ configuration: ConfigID) -> Int

    /// The bytes of a shortest completion.
    func witness(_ configuration: ConfigID) -> [UInt8]
}

extension ConstraintMachine {
    package var alphabet: ByteSet { .all }

    package func freeText(_ configuration: ConfigID) -> FreeText? { nil }

    package func readsNamedKey(_ configuration: ConfigID) -> Bool { false }
}
