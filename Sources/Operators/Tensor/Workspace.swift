/// Scratch memory of one worker, reused from row to row so that a warm request allocates nothing.
///
/// Not thread-safe: each worker has its own. It knows no operator: each family keeps a `Scratchpad`
/// in it, of a type of its own.
package final class Workspace {
    /// Entries that are not -inf, for each row of the block at hand.
    var finiteCounts = Scratch<Int>()
    /// The pads of the families that have run here, and at the same index the type of each.
    private var pads: [any Scratchpad] = []
    private var types: [ObjectIdentifier] = []
    /// The last of them that was asked for. Blocks of one family follow each other, and to look
    /// through the array took 3 % of a row of 1000.
    private var latest: (type: ObjectIdentifier, pad: Unmanaged<AnyObject>)?

    package init() {}

    /// Lends the pad of this type, made when it is first asked for. Ask once a block, not once a
    /// row. Lent, and not returned: to retain it and release it took 1 % of a row of 1000.
    @inline(__always)
    func with<Pad: Scratchpad>(
        _ type: Pad.Type, _ body: (Pad) throws(OperatorError) -> Void
    ) throws(OperatorError) {
        var failure: OperatorError?
        lend(type)._withUnsafeGuaranteedRef { pad in
            do throws(OperatorError) {
                try body(unsafeDowncast(pad, to: Pad.self))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The same pad, returned.
    @inline(__always)
    func scratch<Pad: Scratchpad>(_ type: Pad.Type) -> Pad {
        unsafeDowncast(lend(type).takeUnretainedValue(), to: Pad.self)
    }

    @inline(__always)
    private func lend<Pad: Scratchpad>(_ type: Pad.Type) -> Unmanaged<AnyObject> {
        if let latest, latest.type == ObjectIdentifier(type) { return latest.pad }
        return find(type)
    }

    @inline(never)
    private func find<Pad: Scratchpad>(_ type: Pad.Type) -> Unmanaged<AnyObject> {
        let wanted = ObjectIdentifier(type)
        let index =
            types.firstIndex(of: wanted)
            ?? {
                pads.append(Pad())
                types.append(wanted)
                return pads.count - 1
            }()
        let pad = Unmanaged<AnyObject>.passUnretained(pads[index])
        latest = (wanted, pad)
        return pad
    }

    /// Gives back what one unusual request has made large; pages of ordinary ones are kept.
    package func trim() {
        finiteCounts.trim()
        for pad in pads { pad.trim() }
    }
}
