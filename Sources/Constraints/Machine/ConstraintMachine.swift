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
/// within the window that is left. The string may be closed exactly when ``missingScalars`` have come and the
/// automaton accepts, unless ``closing`` is dead.
package struct StringBody {
    /// The automaton over the string's scalars; nil where any scalar may come next.
    package var automaton: Automaton?
    /// The automaton's state.
    package var state: Automaton.StateID
    /// The number of scalars that must still come.
    package var missingScalars: Int
    /// The number of scalars that may still come; nil where there is no bound.
    package var remainingScalars: Int?
    /// The configuration after the closing quote, where it does not depend on the content; otherwise dead, and then
    /// nothing is said about when the string may be closed.
    package var closing: ConfigID
    /// An upper bound of the shortest completion, in bytes, after any viable run of characters from here; nil where
    /// none is known.
    package var completionBound: Int?

    package init(
        automaton: Automaton? = nil, state: Automaton.StateID = .dead, missingScalars: Int = 0, remainingScalars: Int?,
        closing: ConfigID = .dead, completionBound: Int? = nil
    ) {
        self.automaton = automaton
        self.state = state
        self.missingScalars = missingScalars
        self.remainingScalars = remainingScalars
        self.closing = closing
        self.completionBound = completionBound
    }
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

    /// The number of bytes of a shortest completion.
    func minimumCompletion(_ configuration: ConfigID) -> Int

    /// The bytes of a shortest completion.
    func witness(_ configuration: ConfigID) -> [UInt8]
}

extension ConstraintMachine {
    package var alphabet: ByteSet { .all }
}
