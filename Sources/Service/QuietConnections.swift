// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections on which nothing is asked: new ones, those that send their headers slowly, and those between requests.
///
/// Where there are too many, the one that has been quiet for the longest time is closed, so that connections that send
/// nothing never keep out those that do.
final class QuietConnections: Sendable {
    private struct State {
        var channels: [UInt64: any Channel] = [:]
        /// The oldest first; those that are no longer quiet are passed over.
        var order: [UInt64] = []
        var first = 0
        var next: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: Connections that may be quiet at the same time.
    init(limit: Int) { self.limit = limit }

    /// How many there are.
    var count: Int { state.withLock { $0.channels.count } }

    /// Takes a connection, and closes another one where there are too many.
    fileprivate func enter(_ channel: any Channel) -> UInt64 {
        let (number, oldest) = state.withLock { state -> (UInt64, (any Channel)?) in
            let number = state.next
            state.next += 1
            state.channels[number] = channel
            state.order.append(number)
            var oldest: (any Channel)?
            while state.channels.count > limit, state.first < state.order.count {
                oldest = state.channels.removeValue(forKey: state.order[state.first])
                state.first += 1
            }
            // Both parts stay in proportion to the connections that there are.
            if state.first > 1024 || state.order.count > 4 * limit + 1024 {
                state.order = state.order[state.first...].filter { state.channels[$0] != nil }
                state.first = 0
            }
            return (number, oldest)
        }
        oldest?.close(promise: nil)
        return number
    }

    fileprivate func leave(_ number: UInt64) { _ = state.withLock { $0.channels.removeValue(forKey: number) } }

    /// Tells of one connection when it is quiet.
    final class Handler: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart

        private let connections: QuietConnections
        private var number: UInt64?

        init(_ connections: QuietConnections) { self.connections = connections }

        private func enter(_ context: ChannelHandlerContext) {
            if number == nil { number = connections.enter(context.channel) }
        }

        private func leave() {
            if let number { connections.leave(number) }
            number = nil
        }

        func handlerAdded(context: ChannelHandlerContext) { enter(context) }

        func handlerRemoved(context: ChannelHandlerContext) { leave() }

        func channelInactive(context: ChannelHandlerContext) {
            leave()
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head = unwrapInboundIn(data) { leave() }
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if case .end = unwrapOutboundIn(data), context.channel.isActive { enter(context) }
            context.write(data, promise: promise)
        }
    }
}
