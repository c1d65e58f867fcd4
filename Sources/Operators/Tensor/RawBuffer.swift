/// What takes back the memory of a `RawBuffer` that nobody holds any more.
package struct BufferRecycler {
    /// An object that lives for as long as any of its memory is out. Buffers do not retain it: one
    /// object for all threads, that would be written to four times with each buffer.
    package let owner: UnsafeMutableRawPointer
    /// Gets the owner, the memory, and its bytes as given to `RawBuffer.init`.
    package let recycle:
        @convention(c) (
            _ owner: UnsafeMutableRawPointer, _ memory: UnsafeMutableRawPointer, _ capacity: Int
        ) -> Void

    package init(
        owner: UnsafeMutableRawPointer,
        recycle:
            @escaping @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) -> Void
    ) {
        self.owner = owner
        self.recycle = recycle
    }
}

/// One owned block of bytes, 64-byte aligned, handed from room to room without a copy.
///
/// A buffer has one writer until it is published to other threads (by the scheduler's lock), and
/// only readers after that: this is why it may be `@unchecked Sendable`.
package final class RawBuffer: @unchecked Sendable {
    package let memory: UnsafeMutableRawPointer
    /// Bytes that may be written.
    package let capacity: Int
    /// Bytes that hold content; at most `capacity`.
    package var count: Int = 0
    private let recycler: BufferRecycler?

    /// Allocates `capacity` bytes, not zeroed; the memory is freed with the object.
    package init(capacity: Int) {
        precondition(capacity >= 0)
        self.memory = .allocate(byteCount: max(capacity, 1), alignment: 64)
        self.capacity = capacity
        self.recycler = nil
    }

    /// Takes ownership of memory that goes back to `recycler` with the object's end.
    package init(
        takingOwnershipOf memory: UnsafeMutableRawPointer, capacity: Int,
        recycler: BufferRecycler
    ) {
        self.memory = memory
        self.capacity = capacity
        self.recycler = recycler
    }

    deinit {
        if let recycler {
            recycler.recycle(recycler.owner, memory, capacity)
        } else {
            memory.deallocate()
        }
    }

    /// Appends bytes; the caller has made sure that they fit.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= capacity - count)
        guard let base = bytes.baseAddress else { return }
        (memory + count).copyMemory(from: base, byteCount: bytes.count)
        count += bytes.count
    }

    /// The written part.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory, count: count)
    }
}
