// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration
import Documents
import Foundation
import Inference
import ModelFiles
import Service

/// What `serve` is told: by options, else by the environment, else by the project file.
struct ServeSettings {
    private let reader: ConfigReader

    /// - Parameter project: The project file, whose `serve` holds settings by the names of the options.
    init(project: Project?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for member in project?.serve?.members.map(\.self) ?? [] {
            let texts = member.value.elements.isEmpty ? [member.value] : member.value.elements.map(\.self)
            let strings = texts.map { node -> String in
                let text = node.stringValue ?? JSONWriter(style: .compact).write(node)
                return Self.located(text, member.key, project)
            }
            let key = AbsoluteConfigKey(["formwork", "serve", member.key])
            values[key] =
                member.value.kind == .array
                ? ConfigValue(.stringArray(strings), isSecret: false)
                : ConfigValue(.string(strings.first ?? ""), isSecret: false)
        }
        reader = ConfigReader(providers: [
            EnvironmentVariablesProvider(environmentVariables: environment), InMemoryProvider(name: "formwork.yaml", values: values),
        ]).scoped(to: "formwork.serve")
    }

    /// A path of the project file as seen from the working directory; other texts as they are.
    private static func located(_ text: String, _ name: String, _ project: Project?) -> String {
        guard let project else { return text }
        switch name {
        case "keys", "lora", "tls-certificate", "tls-key": return project.file(text)
        case "state": return text == "none" ? text : project.file(text)
        case "model":
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let target = parts.last, target.contains("/") || target.lowercased().hasSuffix(".gguf") else {
                return text
            }
            return (parts.count == 2 ? parts[0] + "=" : "") + project.file(target)
        default: return text
        }
    }

    private func text(_ name: String) -> String? { reader.string(forKey: ConfigKey([name])) }

    private func wrong(_ name: String, _ text: String, _ expected: String) -> CommandFailure {
        CommandFailure(.usage, "'\(name)' of the service takes \(expected), not '\(text)'")
    }

    /// Texts of an option that is repeatable.
    func list(_ option: [String], _ name: String) -> [String] {
        if !option.isEmpty { return option }
        let key = ConfigKey([name])
        return reader.stringArray(forKey: key) ?? reader.string(forKey: key).map { [$0] } ?? []
    }

    /// One of some words.
    func choice(_ option: String?, _ name: String, _ words: [String]) throws -> String? {
        guard let text = option ?? text(name) else { return nil }
        guard words.contains(text) else { throw wrong(name, text, words.joined(separator: ", ")) }
        return text
    }

    private func number(_ option: Int?, _ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text = option.map(String.init) ?? text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw wrong(name, text, "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func seconds(_ option: Double?, _ name: String) throws -> Double? {
        guard let text = option.map({ "\($0)" }) ?? text(name) else { return nil }
        guard let number = Double(text), number > 0, number <= 86_400 else { throw wrong(name, text, "up to 86400 seconds") }
        return number
    }

    /// Takes over everything but the models and the log level.
    ///
    /// - Throws: ``CommandFailure`` that names the setting at fault.
    func fill(_ configuration: inout ServiceConfiguration, from command: ServeCommand) throws {
        if let host = command.host ?? text("host") { configuration.host = host }
        if let port = try number(command.port, "port", 0...65535) { configuration.port = port }
        if let slots = try number(command.slots, "slots", 1...256) { configuration.slots = slots }
        if let cache = try number(command.cache, "cache", 0...1 << 20) { configuration.cacheBytes = cache << 20 }
        if let queue = try number(command.queue, "queue", 1...1 << 20) { configuration.queueLength = queue }
        if let deadline = try seconds(command.deadline, "deadline") { configuration.deadline = deadline }
        configuration.requestsPerMinute = try number(command.requestsPerMinute, "requests-per-minute", 1...1 << 20)
        configuration.concurrentRequests = try number(command.concurrent, "concurrent", 1...1 << 20)
        configuration.contextLength = try number(command.context, "context", 16...1 << 24)
        configuration.allowedOrigins = list(command.allowOrigin, "allow-origin")
        let cores = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 64)
        configuration.modelOptions = ModelOptions(threads: try number(command.threads, "threads", 1...256) ?? cores)
        let adapters = list(command.adapterArguments.lora, "lora")
        if configuration.models.count > 1, let first = adapters.first {
            throw wrong("lora", first, "adapters where a single model is served: they are made for one")
        }
        do {
            configuration.modelOptions.adapters = try adapters.map(AdapterArguments.adapter)
        } catch let error as ValidationError {
            throw CommandFailure(.usage, error.message)
        }
        configuration.keys = try keys(command.keys ?? text("keys"))
        let state = command.state ?? text("state")
        if state != "none" {
            let standard = ModelStore.dataFolder(ProcessInfo.processInfo.environment).appendingPathComponent("state").path
            configuration.stateFolder = state ?? standard
            configuration.needsState = state != nil
        }
        let (certificate, key) = (command.tlsCertificate ?? text("tls-certificate"), command.tlsKey ?? text("tls-key"))
        switch (certificate, key) {
        case (let certificate?, let key?): configuration.tls = .init(certificate: certificate, key: key)
        case (nil, nil): break
        default: throw CommandFailure(.usage, "--tls-certificate and --tls-key belong together")
        }
    }

    private func keys(_ path: String?) throws -> [ServiceKey] {
        var texts: [String] = []
        if let path {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw CommandFailure(.unreadable, "cannot read '\(path)'")
            }
            texts = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            if texts.isEmpty { throw CommandFailure(.unreadable, "'\(path)' holds no key") }
        }
        if let key = ProcessInfo.processInfo.environment["FORMWORK_API_KEY"], !key.isEmpty { texts.append(key) }
        return texts.map { ServiceKey($0) }
    }
}
