/// The scratch memory of a family of operators. Its class lies in the family's folder, and
/// `Workspace.with` makes one for each worker that needs it.
protocol Scratchpad: AnyObject {
    init()

    /// Frees what one unusual request has made large.
    func trim()
}
