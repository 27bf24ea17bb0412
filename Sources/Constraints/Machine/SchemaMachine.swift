// SPDX-License-Identifier: Apache-2.0

package import Documents
package import JSONSchemas
import Patterns

/// A constraint machine that accepts the JSON texts whose value is valid under a schema.
///
/// The text so far is a stack of frames. A frame holds a canonical set of alternatives, each the residue of one
/// conjunction of assertions together with a tag that says how the enclosing frame goes on. Everything is interned,
/// so that a configuration is a number. An alternative is kept only while a completion of it is known.
///
///     let machine = try SchemaMachine(graph, profile: .compact, formats: .assert)
///     var configuration = machine.start
///     for byte in text.utf8 { configuration = machine.step(configuration, byte) }
///     machine.isAccepting(configuration)
///
/// - Invariant: every configuration other than ``ConfigID/dead`` has a completion.
package final class SchemaMachine: ConstraintMachine {
    /// Bounds on the work of a machine; all are counts.
    package struct Limits: Hashable, Sendable {
        /// Alternatives of one conjunction and type.
        package var maximumAlternatives = 128
        /// Steps of one expansion.
        package var expansionBudget = 40_000
        /// Steps of all expansions from which on each has a share of the rest only.
        package var sharedExpansionBudget = 160_000
        /// Steps of an expansion however many there were before.
        package var leastExpansionBudget = 400
        /// Steps of all expansions after which an audit looks at no more subschemas.
        package var auditBudget = 60_000
        /// Pairs of subschemas that are asked whether they have a value in common.
        package var maximumDisjointnessQueries = 4_000
        /// Steps of expansions and searches in the computation of one mask after which tokens of one byte only are
        /// looked at.
        package var maskBudget = 100_000
        /// States of one search for a shortest completion.
        package var searchBudget = 20_000
        /// States of one search for the members that an object needs.
        package var memberBudget = 1_500
        /// Bytes of the shortest document.
        package var maximumShortest = 1 << 26
        /// Elements of an array that may differ from those after them.
        package var maximumPrefix = 16_384
        /// Patterns in all conjunctions of more than four together.
        package var maximumJointPatterns = 1_500
        /// Characters that a string with a pattern may need.
        package var maximumPatternedLength = 1 << 16
        /// Steps of telling kinds of keys apart, by the patterns that they join.
        package var keyKindBudget = 1_500
        /// Steps of telling kinds of keys apart from which on each object has a share of the rest only.
        package var sharedKeyKindBudget = 4_000
        /// Kinds of keys without a name that one object may have.
        package var maximumKeyKinds = 64
        /// Ways to read an element that one search for a shortest array looks at.
        package var elementBudget = 600
        /// Ways to count one element.
        package var maximumElementOptions = 64
        /// Steps of one search for different values, beside those for each value.
        package var distinctBudget = 4_000

        package init() {}
    }

    let graph: SchemaGraph
    package let profile: SpellingProfile
    let limits: Limits
    let assertsFormats: Bool
    let verbatim: VerbatimPolicy
    /// Whether some keyword asks which members or elements other subschemas evaluate.
    let tracksEvaluation: Bool
    /// The most scalars that a token of the vocabulary can have; configurations that differ only beyond it share a
    /// mask key.
    package var longestToken = 160

    // Nodes and what they expand to.
    @exclusivity(unchecked) var nodes = FastInterner<[Literal]>()
    @exclusivity(unchecked) var constants = Interner<JSONValue>()
    /// The numbers of constants by the schemas that say nothing else.
    @exclusivity(unchecked) var constantSchemas: [SubschemaID: UInt32?] = [:]
    @exclusivity(unchecked) var disjunctions = Interner<[Literal]>()
    @exclusivity(unchecked) var scopes = Interner<[ResourceID]>()
    @exclusivity(unchecked) var expansions = WordMap<[UInt32]>()
    @exclusivity(unchecked) var expanding: Set<UInt64> = []
    @exclusivity(unchecked) var nodeCosts = DenseMap<Cost>()
    @exclusivity(unchecked) var keys = Interner<[UInt8]>()
    @exclusivity(unchecked) var groups = Interner<ObjectRules.Group>()
    @exclusivity(unchecked) var knownGroups: [Literal: UInt32] = [:]
    @exclusivity(unchecked) var knownFailures: [FailureKey: (ways: [[Atom]]?, limitations: Int)] = [:]
    @exclusivity(unchecked) var verdicts = WordMap<UInt32>()
    @exclusivity(unchecked) var disjointness: [UInt64: Bool] = [:]

    // Shapes and states.
    @exclusivity(unchecked) var grids = Interner<NumberRules>()
    @exclusivity(unchecked) var gridValues: [NumberGrid?] = []
    @exclusivity(unchecked) var numberStates = FastInterner<NumberState>()
    @exclusivity(unchecked) var numberCosts: [Cost] = []
    @exclusivity(unchecked) var stringRules = Interner<StringRules>()
    @exclusivity(unchecked) var stringShapes: [StringShape?] = []
    @exclusivity(unchecked) var stringStates = FastInterner<StringState>()
    @exclusivity(unchecked) var stringCosts: [Cost] = []
    @exclusivity(unchecked) var arrayShapes = Interner<ArrayShape>()
    @exclusivity(unchecked) var arrayStates = FastInterner<ArrayState>()
    @exclusivity(unchecked) var arrayCosts: [Cost] = []
    @exclusivity(unchecked) var objectRules = Interner<ObjectRules>()
    @exclusivity(unchecked) var objectShapes: [ObjectShape?] = []
    @exclusivity(unchecked) var objectStates = FastInterner<ObjectState>()
    @exclusivity(unchecked) var objectCosts: [Cost] = []
    @exclusivity(unchecked) var keyStates = FastInterner<KeyState>()
    @exclusivity(unchecked) var keyCosts: [Cost] = []
    /// Costs of arrays of which another element comes next, where they are final.
    @exclusivity(unchecked) var elementCosts: [ArrayState: Cost] = [:]
    /// Costs of objects of which another member comes next, where they are final.
    @exclusivity(unchecked) var memberCosts: [SearchKey: Cost] = [:]
    /// States and options of the search for elements or members that is under way.
    @exclusivity(unchecked) var searchWork = 0
    /// How deep the counting of distinct values is nested, and whether it can lead a node back to itself.
    @exclusivity(unchecked) var distinctDepth = 0
    @exclusivity(unchecked) var selfCounting: [NodeID: Bool] = [:]
    /// Different values of nodes, as far as they have been asked for.
    @exclusivity(unchecked) var distinctPools: [NodeID: DistinctValues] = [:]
    /// For array shapes in which only the number of elements matters, sums over the prefix.
    @exclusivity(unchecked) var prefixSums: [UInt32: PrefixSums] = [:]
    @exclusivity(unchecked) var arrayOpenCosts = DenseMap<Cost>()
    @exclusivity(unchecked) var objectOpenCosts = DenseMap<Cost>()
    @exclusivity(unchecked) var objectMemberCosts = DenseMap<Cost>()
    @exclusivity(unchecked) var namedValueCosts = WordMap<Cost>()
    @exclusivity(unchecked) var numberLists = FastInterner<[UInt32]>()
    @exclusivity(unchecked) var textSets = Interner<[[UInt8]]>()
    /// All automata, to be given back in the end.
    @exclusivity(unchecked) var automata: [Language: Automaton] = [:]
    /// How many of them are of several languages.
    @exclusivity(unchecked) var combinedAutomata = 0
    @exclusivity(unchecked) var matchers: [Pattern: Automaton] = [:]
    /// Automata of the keys without a name, by the object shapes and kinds of keys.
    @exclusivity(unchecked) var keyAutomata: [[UInt64]: Automaton?] = [:]
    @exclusivity(unchecked) var keyAutomataOfObjects: [UInt32: Automaton?] = [:]
    @exclusivity(unchecked) var languageMatchers: [Language: Automaton] = [:]
    /// The sets of used keys as they are spelled.
    @exclusivity(unchecked) var usedSpellings: [UInt32: FiniteTexts] = [:]
    /// The shapes of the strings of a node, as few as possible.
    @exclusivity(unchecked) var mergedTexts: [NodeID: [UInt32]] = [:]
    /// String shapes of anonymous keys.
    @exclusivity(unchecked) var keyShapes: [KeyPlace: UInt32?] = [:]

    // Frames.
    let alternativeLists = ListInterner()
    /// The numbers of the lists by tag.
    let continuationTables = ListInterner()
    @exclusivity(unchecked) var contexts = FastInterner<Context>()
    @exclusivity(unchecked) var contextDepths: [Int] = []
    @exclusivity(unchecked) var contextCosts: [[Cost]] = []
    let texts = TransitionTable()
    @exclusivity(unchecked) var textBytes: [(previous: UInt32, byte: UInt8)] = [(0, 0)]
    @exclusivity(unchecked) var configurations = FastInterner<Configuration>()
    @exclusivity(unchecked) var configurationCosts: [Cost] = []
    let transitions = TransitionTable()
    /// The configurations before first elements, by those after the opening brackets.
    @exclusivity(unchecked) var firstElements = WordMap<UInt32>()
    /// The configurations after keys that are like no other, by alternatives and context.
    @exclusivity(unchecked) var freshEnds = WordMap<UInt32>()
    /// The named keys that may come, by object state; see ``NamedKeys``.
    @exclusivity(unchecked) var viableKeys = DenseMap<[UInt32]>()
    /// Whether another member may come, by object state.
    @exclusivity(unchecked) var memberChances = DenseMap<Bool>()
    @exclusivity(unchecked) var allowedSets = DenseMap<ByteSet>()
    @exclusivity(unchecked) var nextOnWitness: [UInt32: UInt8] = [:]
    @exclusivity(unchecked) var witnessLengths: [UInt32: Int] = [:]

    /// What could not be decided within the limits and therefore is not offered.
    package internal(set) var limitations: [Diagnostic] = []
    @exclusivity(unchecked) var limitationPlaces: Set<String> = []
    /// How often something was undecided, repeated notes included.
    @exclusivity(unchecked) var limitationCount = 0
    /// The steps of all expansions and searches.
    @exclusivity(unchecked) var expansionSteps = 0
    /// How often a search met an expansion that was under way.
    @exclusivity(unchecked) var taints = 0
    /// The patterns in conjunctions of many.
    @exclusivity(unchecked) var jointPatterns = 0
    /// The steps of telling kinds of keys apart.
    @exclusivity(unchecked) var keyKindWork = 0
    /// How deep questions about subschemas are nested at the moment.
    @exclusivity(unchecked) var nesting = 0

    package private(set) var start = ConfigID.dead

    /// Builds the machine of a schema.
    ///
    /// - Parameters:
    ///   - graph: The schema.
    ///   - profile: The spellings to accept.
    ///   - formats: Whether known formats are asserted.
    ///   - verbatim: The text that strings with `x-verbatim` are taken from.
    ///   - limits: Bounds on the work.
    /// - Throws: A diagnostic `constraint.unsupported-keyword` for each keyword that cannot be enforced,
    /// `constraint.no-source` if there is `x-verbatim` without a text, `constraint.unsatisfiable` if no value is valid, `constraint.too-complex` if a limit kept that from being
    /// known.
    package init(
        _ graph: SchemaGraph, profile: SpellingProfile = .compact, formats: FormatPolicy = .assert,
        verbatim: VerbatimPolicy = .refused, limits: Limits = Limits()
    ) throws(DiagnosticsError) {
        self.graph = graph
        self.profile = profile
        self.limits = limits
        assertsFormats = formats == .assert
        self.verbatim = verbatim
        tracksEvaluation = graph.subschemas.contains {
            $0.unevaluatedProperties != nil || $0.unevaluatedItems != nil
        }
        _ = nodes.intern([])
        _ = nodes.intern([.never])
        _ = scopes.intern([])
        _ = numberLists.intern([])
        _ = textSets.intern([])
        _ = contexts.intern(Context(kind: .root, table: 0, parent: 0, isRecording: false, isUnique: false, mark: 0))
        contextDepths = [0]
        contextCosts = [[0]]
        _ = configurations.intern(Configuration(kind: .dead, aux: 0, alternatives: 0, context: 0, text: 0))
        configurationCosts = [.infinite]

        if case .refused = verbatim, let problem = graph.missingSource("constraint.no-source") {
            throw DiagnosticsError([problem])
        }
        let problems = unsupportedKeywords()
        if !problems.isEmpty { throw DiagnosticsError(problems) }
        let root = node([literal(graph.root, scope: 0)])
        let cost = cost(of: root)
        let location = graph[graph.root].location
        guard cost < .infinite else {
            if limitations.isEmpty {
                throw DiagnosticsError([
                    Diagnostic(
                        "constraint.unsatisfiable", "no value is valid under the schema", range: location.range,
                        path: location.pointer)
                ])
            }
            throw DiagnosticsError(limitations)
        }
        guard cost <= limits.maximumShortest else {
            throw DiagnosticsError([
                Diagnostic(
                    "constraint.too-complex",
                    "the shortest valid document has \(cost) bytes, more than the limit of \(limits.maximumShortest)",
                    range: location.range, path: location.pointer)
            ])
        }
        start = configuration(.value, 0, WordList(Alternative(state: root, tag: 0).rawValue), 0, 0)
    }

    deinit { AutomatonPool.shared.give(automata) }

    /// The steps that the next expansion may take: the fewer, the more there were before.
    ///
    /// What an expansion found is kept, so that no configuration depends on how much is left later.
    var expansionAllowance: Int {
        let rest = limits.sharedExpansionBudget - expansionSteps
        return min(limits.expansionBudget, max(limits.leastExpansionBudget, rest / 4))
    }

    /// Notes that something is not offered because a limit was hit.
    func note(_ message: String, at subschema: SubschemaID?) {
        note("constraint.too-complex", message, graph[subschema ?? graph.root].location)
    }

    /// Notes that values that fail only this keyword are not offered where the schema must fail.
    func note(failing keyword: String, _ schema: Subschema) {
        let name = schema.writtenKeyword(keyword)
        note(
            "constraint.unsupported-keyword", "values that fail only '\(name)' are not offered under a negation",
            schema.location(ofKeyword: keyword))
    }

    private func note(_ id: DiagnosticID, _ message: String, _ location: SchemaLocation) {
        limitationCount += 1
        guard limitations.count < 64, limitationPlaces.insert(message + " " + location.description).inserted else {
            return
        }
        limitations.append(Diagnostic(id, message, range: location.range, path: location.pointer))
    }

    // MARK: ConstraintMachine

    /// The bytes of JSON text in UTF-8, less those of characters that the profile leaves out.
    package var alphabet: ByteSet {
        var bytes = ByteSet(0x20...0xF4)
        bytes.insert(UInt8(ascii: "\n"))
        for byte: UInt8 in [0xC0, 0xC1] { bytes.remove(byte) }
        if !profile.allowsUnassignedPlanes { for byte: UInt8 in [0xF1, 0xF2] { bytes.remove(byte) } }
        return bytes
    }

    package func step(_ configuration: ConfigID, _ byte: UInt8) -> ConfigID {
        if let target = transitions.target(configuration.rawValue, byte) { return ConfigID(rawValue: target) }
        if isRefused(configurations[configuration.rawValue], byte) { return .dead }
        let isLeftOut = (byte == 0xF1 || byte == 0xF2) && !profile.allowsUnassignedPlanes
        let target = isLeftOut ? 0 : computeStep(configuration.rawValue, byte)
        transitions.set(configuration.rawValue, byte, target)
        return ConfigID(rawValue: target)
    }

    package func isAccepting(_ configuration: ConfigID) -> Bool {
        let current = configurations[configuration.rawValue]
        switch current.kind {
        case .done: return true
        case .number:
            return current.context == 0
                && alternatives(current).contains { isComplete(number: $0.state) }
        default: return false
        }
    }

    package func allowedBytes(_ configuration: ConfigID) -> ByteSet {
        if let known = allowedSets[configuration.rawValue] { return known }
        var set = ByteSet()
        candidates(configuration.rawValue).forEach { byte in
            if !step(configuration, byte).isDead { set.insert(byte) }
        }
        allowedSets[configuration.rawValue] = set
        return set
    }

    package func maskKey(_ configuration: ConfigID) -> UInt64 { UInt64(projected(configuration).rawValue) }

    /// A configuration that allows the same tokens: lengths of strings count only where a token can reach a limit.
    private func projected(_ configuration: ConfigID) -> ConfigID {
        let current = configurations[configuration.rawValue]
        guard current.kind == .string, current.text == 0 else { return configuration }
        var list = WordList()
        var isChanged = false
        for alternative in alternatives(current) {
            list.append(alternative.rawValue)
            var state = stringStates[alternative.state]
            guard state.length > 0, let shape = stringShapes[Int(state.shape)], shape.automaton == nil,
                shape.finite == nil
            else {
                continue
            }
            let length = Int(state.length)
            guard shape.maxLength.map({ $0 - length >= longestToken }) ?? true else { continue }
            let kept =
                length >= shape.minLength ? shape.minLength : shape.minLength - length >= longestToken ? 0 : length
            guard kept != length else { continue }
            state.length = Int32(clamping: kept)
            list.replaceLast(Alternative(state: intern(state), tag: alternative.tag).rawValue)
            isChanged = true
        }
        return isChanged
            ? self.configuration(current.kind, current.aux, list, current.context, current.text) : configuration
    }

    package func minimumCompletion(_ configuration: ConfigID) -> Int {
        if configuration.isDead { return .infinite }
        if case .pretty = profile.whitespace {
            if let known = witnessLengths[configuration.rawValue] { return known }
            let length = witness(configuration).count
            witnessLengths[configuration.rawValue] = length
            return length
        }
        return cost(configuration)
    }

    package func witness(_ configuration: ConfigID) -> [UInt8] {
        var bytes: [UInt8] = []
        var current = configuration
        while !current.isDead, !isAccepting(current), bytes.count < limits.maximumShortest * 2 {
            guard let byte = witnessByte(current) else { break }
            bytes.append(byte)
            current = step(current, byte)
        }
        return bytes
    }

    /// The next byte of the shortest completion.
    func witnessByte(_ configuration: ConfigID) -> UInt8? {
        if let known = nextOnWitness[configuration.rawValue] { return known }
        let cost = cost(configuration)
        let hints = witnessHints(configuration.rawValue)
        for byte in hints {
            let next = step(configuration, byte)
            if !next.isDead, self.cost(next) == cost - 1 {
                nextOnWitness[configuration.rawValue] = byte
                return byte
            }
        }
        var best: UInt8?
        var bestCost = Cost.infinite
        allowedBytes(configuration).forEach { byte in
            let next = self.cost(step(configuration, byte))
            let isSpace =
                byte <= 0x20 && configurations[configuration.rawValue].kind != .string
                && configurations[configuration.rawValue].kind != .key
            let total = isSpace && isPretty ? next : Cost.sum(next, 1)
            if total < bestCost {
                bestCost = total
                best = byte
            }
        }
        if let best { nextOnWitness[configuration.rawValue] = best }
        return best
    }

    var isPretty: Bool {
        if case .pretty = profile.whitespace { return true }
        return false
    }
}
