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

    package init() {}

    /// The pad of this type, made when it is first asked for. Ask once a block, not once a row.
    func scratch<Pad: Scratchpad>(_ type: Pad.Type) -> Pad {
        let wanted = ObjectIdentifier(type)
        for index in types.indices where types[index] == wanted {
            return unsafeDowncast(pads[index], to: Pad.self)
        }
        let pad = Pad()
        pads.append(pad)
        types.append(wanted)
        return pad
    }

    /// Gives back what one unusual request has made large; pages of ordinary ones are kept.
    package func trim() {
        finiteCounts.trim()
        for pad in pads { pad.trim() }
    }
}
