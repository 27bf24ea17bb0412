// SPDX-License-Identifier: Apache-2.0

// Repeats one inner operation of constrained decoding: `formwork-loops commit 1000`. A program of its own, without
// threads, so that valgrind can count its instructions; see .ci/bench-instructions.

import Benchmarks

struct UnknownArguments: Error {}

let arguments = CommandLine.arguments
guard arguments.count == 3, let loop = HotLoop(rawValue: arguments[1]), let rounds = Int(arguments[2]), rounds >= 0
else {
    let loops = HotLoop.allCases.map(\.rawValue).joined(separator: ", ")
    print("usage: formwork-loops LOOP ROUNDS, with LOOP one of \(loops)")
    throw UnknownArguments()
}
print(try loop.run(rounds: rounds))
