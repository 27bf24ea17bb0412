// SPDX-License-Identifier: Apache-2.0

import Constraints
import Documents
import JSONSchemas

/// Judges instances by the constraint machine: accepted if some order of the keys spells a text that it takes.
///
/// The machine fixes the order of properties, an instance of a test suite does not: all orders are tried, with what is
/// left pruned by the machine itself.
struct ConstraintJudge {
    private let machine: SchemaMachine
    private let writer = JSONWriter(style: .compact)
    /// Steps that one instance may take: wide objects have many orders.
    private static let limit = 200_000

    init(_ machine: SchemaMachine) { self.machine = machine }

    init(_ graph: SchemaGraph, formats: FormatPolicy) throws {
        machine = try SchemaMachine(graph, profile: .compact, formats: formats)
    }

    /// Whether the machine takes the instance.
    func accepts(_ instance: JSONValue) -> Bool {
        var work = 0
        return spell(instance, from: [machine.start], &work).contains { machine.isAccepting($0) }
    }

    /// The configurations after a value, over all orders of its keys.
    private func spell(_ value: JSONValue, from configs: Set<ConfigID>, _ work: inout Int) -> Set<ConfigID> {
        work += 1
        if configs.isEmpty || work > Self.limit { return [] }
        switch value {
        case .array(let elements):
            var current = step(configs, "[")
            for (index, element) in elements.enumerated() {
                if index > 0 { current = step(current, ",") }
                current = spell(element, from: current, &work)
            }
            return step(current, "]")
        case .object(let object):
            guard object.count <= 24 else { return [] }
            let members = object.members
            // Configurations by the set of keys already written.
            var layers: [UInt32: Set<ConfigID>] = [0: step(configs, "{")]
            for count in 0..<members.count {
                var next: [UInt32: Set<ConfigID>] = [:]
                for (written, reached) in layers {
                    for (index, member) in members.enumerated() where written & (1 << UInt32(index)) == 0 {
                        let key = (count > 0 ? "," : "") + writer.write(.string(member.key)) + ":"
                        let after = spell(member.value, from: step(reached, key), &work)
                        if !after.isEmpty { next[written | 1 << UInt32(index), default: []].formUnion(after) }
                    }
                }
                layers = next
            }
            return step(layers.values.reduce(into: []) { $0.formUnion($1) }, "}")
        default:
            return step(configs, writer.write(value))
        }
    }

    private func step(_ configs: Set<ConfigID>, _ text: String) -> Set<ConfigID> {
        var current = configs
        for byte in text.utf8 {
            if current.isEmpty { return [] }
            current = Set(current.map { machine.step($0, byte) }.filter { !$0.isDead })
        }
        return current
    }
}

extension SuiteBench.Engine {
    /// The constraint machine. A schema that it refuses is counted as refused, not as failed.
    public static let constraint = SuiteBench.Engine(name: "constraint") { graph, formats in
        let judge = try ConstraintJudge(graph, formats: formats)
        return { node in judge.accepts(node.value) }
    }
}
