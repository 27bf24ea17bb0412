// SPDX-License-Identifier: Apache-2.0

package import Documents

/// One change of a value that brings it nearer to its schema, with its reason.
package struct ValueMend: Sendable {
    package enum Change: Sendable {
        case rename(from: String, to: String)
        /// The value before and after, and how a number is spelled.
        case replace(from: JSONValue, to: JSONValue, spelling: String?)
        /// The value becomes the only element of an array.
        case wrap(JSONValue)
        case insert(key: String, JSONValue)
        /// A member goes; its value.
        case remove(JSONValue)
    }

    /// The stable name of the kind of change, such as `value.key`.
    package var id: DiagnosticID
    /// Why, lower case, without a full stop.
    package var message: String
    /// The place when the change was made; of a key, its member; of a new member, its object.
    package var pointer: JSONPointer
    /// The place in the value before any change; nil inside of what was replaced as a whole.
    package var origin: JSONPointer?
    package var change: Change
    package var cost: Int
}

/// A value with its changes, and what is still wrong with it.
package struct SchemaMending: Sendable {
    package var value: JSONValue
    package var mends: [ValueMend]
    /// What the schema does not allow in the new value.
    package var violations: [Violation]
    /// Why some violations were left alone.
    package var notes: [String]
    /// What the schema did not allow in the value as it was.
    package var before: [Violation]
    /// The edits of the text that make the changes.
    package var edits: [DocumentEditor.Edit]
    /// How places in the new value were called before.
    var paths = ChangedPaths()
    package var cost: Int { mends.reduce(0) { $0 + $1.cost } }

    /// Where a place was before all changes; nil inside of what was replaced.
    func origin(of pointer: JSONPointer) -> JSONPointer? { paths.origin(of: pointer) }
}

/// What changes have done to the paths of a value.
struct ChangedPaths: Sendable {
    /// Members with a new key: where they are, and the old key.
    var renames: [JSONPointer: String] = [:]
    /// Arrays that were made around a value.
    var wraps: Set<JSONPointer> = []
    /// Values that were replaced, and how a number is spelled.
    var replaced: [JSONPointer: String?] = [:]

    /// Where a place was before all changes; nil inside of what was replaced.
    func origin(of pointer: JSONPointer) -> JSONPointer? {
        var path: [String] = []
        var current = JSONPointer.root
        for token in pointer.tokens {
            if replaced[current] != nil { return nil }
            let isWrapped = wraps.contains(current)
            current = current.appending(token)
            if isWrapped { continue }
            path.append(renames[current] ?? token)
        }
        return JSONPointer(path)
    }

    /// Moves what is noted about the places below one to another.
    mutating func rebase(_ old: JSONPointer, to new: JSONPointer, keepsKey: Bool = false) {
        func moved(_ pointer: JSONPointer) -> JSONPointer {
            guard pointer.tokens.starts(with: old.tokens) else { return pointer }
            return JSONPointer(new.tokens + pointer.tokens.dropFirst(old.tokens.count))
        }
        renames = Dictionary(
            renames.map { (keepsKey && $0.key == old ? $0.key : moved($0.key), $0.value) },
            uniquingKeysWith: { first, _ in first })
        wraps = Set(wraps.map(moved))
        replaced = Dictionary(replaced.map { (moved($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Changes a value so that its schema accepts it, as far as there is one way to do so without a loss.
///
/// Only values at violations change, or keys of objects at violations. A change is made if violations become fewer by it;
/// of two equally good ones neither is made. The work is bounded: what is not mended within it stays as it is.
package struct SchemaMender {
    package struct Options: Sendable {
        /// Whether absent keys that the schema requires get the schema's default or only value.
        package var fillsDefaults = false
        /// The most changes.
        package var maximumMends = 500
        package init() {}
    }

    /// A value on its way.
    struct State {
        var value: JSONValue
        var mends: [ValueMend] = []
        var paths = ChangedPaths()
        var violations: [Violation] = []
        var weight = 0
        var cost: Int { mends.reduce(0) { $0 + $1.cost } }
    }

    let validator: Validator
    let graph: SchemaGraph
    let root: Node
    let options: Options
    private var notes: [String] = []
    /// Nodes that may still be validated.
    private var work = 60_000_000
    private var trials = 4_000

    package init(_ validator: Validator, _ root: Node, options: Options = Options()) {
        self.validator = validator
        graph = validator.graph
        self.root = root
        self.options = options
    }

    /// Mends the value.
    package static func mend(_ root: Node, _ validator: Validator, options: Options = Options()) -> SchemaMending {
        // Validation recurses with the nesting; so do the proposals.
        DeepStack.run {
            var mender = SchemaMender(validator, root, options: options)
            return mender.run()
        }
    }

    private mutating func run() -> SchemaMending {
        let value = root.value
        let before = validator.validate(root)
        guard !before.isEmpty else {
            return SchemaMending(value: value, mends: [], violations: [], notes: [], before: [], edits: [])
        }
        var state = State(value: value)
        state.violations = before
        state.weight = Self.weight(before)
        state = improve(state, within: nil, depth: 0)
        if let foreign = ChangeGuard(before).firstForeignChange(
            from: value, to: state.value, renames: state.paths.renames)
        {
            notes.append("the repair would have changed '\(foreign)', which was valid")
            state = State(value: value)
            state.violations = before
        }
        return SchemaMending(
            value: state.value, mends: state.mends, violations: state.violations, notes: notes, before: before,
            edits: edits(state), paths: state.paths)
    }

    static func weight(_ violations: [Violation]) -> Int {
        violations.reduce(0) { $0 + 1 + weight($1.causes) }
    }

    /// The violations and their causes.
    static func flat(_ violations: [Violation]) -> [Violation] {
        violations.flatMap { [$0] + flat($0.causes) }
    }

    // MARK: Search

    /// Makes changes as long as each makes violations fewer.
    ///
    /// - Parameter place: Only violations at or below it are looked at.
    private mutating func improve(_ start: State, within place: JSONPointer?, depth: Int) -> State {
        var state = start
        var isDone = false
        var refused = Set<JSONPointer>()
        while !isDone, !state.violations.isEmpty, state.mends.count < options.maximumMends, trials > 0, work > 0 {
            isDone = true
            var seen = Set<String>()
            for violation in Self.flat(state.violations) where !violation.isUndecided {
                if let place, !violation.instanceLocation.tokens.starts(with: place.tokens) { continue }
                guard !refused.contains(violation.instanceLocation),
                    seen.insert("\(violation.instanceLocation) \(violation.keyword) \(violation.subschema.rawValue)")
                        .inserted
                else { continue }
                switch attempt(violation, state, depth: depth) {
                case .better(let next):
                    state = next
                    isDone = false
                case .ambiguous(let note):
                    refused.insert(violation.instanceLocation)
                    if depth == 0 { notes.append(note) }
                    continue
                case .nothing: continue
                }
                break
            }
        }
        return state
    }

    private enum Outcome {
        case better(State)
        case ambiguous(String)
        case nothing
    }

    private mutating func attempt(_ violation: Violation, _ state: State, depth: Int) -> Outcome {
        var best: [State] = []
        for proposal in proposals(violation, state, depth: depth) {
            guard trials > 0, work > 0, var next = apply(proposal, to: state) else { continue }
            validate(&next)
            if next.weight >= state.weight, depth < 4, let inner = proposal.innerPlace {
                // The value at its new place may have to be mended too.
                next = improve(next, within: inner, depth: depth + 1)
            }
            guard next.weight < state.weight else { continue }
            if let first = best.first {
                let order = (next.weight, next.cost)
                if order > (first.weight, first.cost) { continue }
                if order < (first.weight, first.cost) { best = [] }
            }
            if !best.contains(where: { $0.value == next.value }) { best.append(next) }
        }
        guard best.count <= 1 else {
            let names = best.prefix(3).compactMap { $0.mends.dropFirst(state.mends.count).first.map(Self.describe) }
            return .ambiguous(
                "'\(violation.instanceLocation)' could be mended in more than one way: \(names.joined(separator: " or "))"
            )
        }
        return best.first.map { .better($0) } ?? .nothing
    }

    static func describe(_ mend: ValueMend) -> String {
        switch mend.change {
        case .rename(_, let to): "'\(to)'"
        case .replace(_, let to, _): String(to.description.prefix(60))
        case .wrap: "a list"
        case .insert(let key, _): "'\(key)'"
        case .remove: "nothing"
        }
    }

    private mutating func validate(_ state: inout State) {
        let document = Document(value: state.value)
        work -= document.nodeCount
        trials -= 1
        state.violations = validator.validate(document.root)
        state.weight = Self.weight(state.violations)
    }

    // MARK: Changes

    struct Proposal {
        var id: DiagnosticID
        var message: String
        var pointer: JSONPointer
        var change: ValueMend.Change
        var cost: Int

        /// Where mending goes on after the change.
        var innerPlace: JSONPointer? {
            switch change {
            case .rename(_, let to): pointer.parent?.appending(to)
            case .wrap: pointer
            default: nil
            }
        }
    }

    private func apply(_ proposal: Proposal, to state: State) -> State? {
        var next = state
        let origin = state.paths.origin(of: proposal.pointer)
        switch proposal.change {
        case .rename(let from, let to):
            guard let parent = proposal.pointer.parent, let value = state.value.renaming(from, to: to, in: parent)
            else { return nil }
            next.value = value
            let place = parent.appending(to)
            let old = state.paths.renames[proposal.pointer]
            next.paths.rebase(proposal.pointer, to: place)
            next.paths.renames[place] = old ?? from
        case .replace(_, let to, let spelling):
            guard let value = state.value.replacing(proposal.pointer, with: to) else { return nil }
            next.value = value
            if origin != nil { next.paths.replaced[proposal.pointer] = .some(spelling) }
        case .wrap(let value):
            guard let new = state.value.replacing(proposal.pointer, with: .array([value])),
                !state.paths.wraps.contains(proposal.pointer)
            else { return nil }
            next.value = new
            next.paths.rebase(proposal.pointer, to: proposal.pointer.appending("0"), keepsKey: true)
            next.paths.wraps.insert(proposal.pointer)
        case .insert(let key, let member):
            guard let value = state.value.inserting(key, member, in: proposal.pointer) else { return nil }
            next.value = value
        case .remove: return nil
        }
        next.mends.append(
            ValueMend(
                id: proposal.id, message: proposal.message, pointer: proposal.pointer, origin: origin,
                change: proposal.change,
                cost: proposal.cost))
        return next
    }

    /// The text edits for all changes.
    private func edits(_ state: State) -> [DocumentEditor.Edit] {
        var edits: [DocumentEditor.Edit] = []
        for place in state.paths.renames.keys.sorted(by: { $0.description < $1.description }) {
            guard let origin = state.paths.origin(of: place), let key = place.tokens.last,
                key != state.paths.renames[place]
            else { continue }
            edits.append(.rename(origin, to: key))
        }
        for place in state.paths.wraps.sorted(by: { $0.description < $1.description }) {
            if let origin = state.paths.origin(of: place) { edits.append(.wrap(origin)) }
        }
        for (place, spelling) in state.paths.replaced.sorted(by: { $0.key.description < $1.key.description }) {
            // Of values inside of each other the outer one is written.
            guard let origin = state.paths.origin(of: place), let value = place.evaluate(state.value) else { continue }
            edits.append(.replace(origin, value, spelling: spelling))
        }
        for mend in state.mends {
            guard case .insert(let key, let value) = mend.change, let origin = mend.origin else { continue }
            edits.append(.insert(in: origin, key: key, value))
        }
        return edits
    }
}
