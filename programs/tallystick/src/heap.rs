//! Solana's bump allocator as one function: inlined into every allocation, as the default is, it is most of what an error
//! path consists of.

use std::alloc::{GlobalAlloc, Layout};

use anchor_lang::solana_program::entrypoint::{BumpAllocator, HEAP_LENGTH, HEAP_START_ADDRESS};

struct Heap(BumpAllocator);

#[global_allocator]
// SAFETY: the range that the runtime maps for the heap, and nobody else's.
static HEAP: Heap =
    Heap(unsafe { BumpAllocator::with_fixed_address_range(HEAP_START_ADDRESS as usize, HEAP_LENGTH) });

// SAFETY: the allocator's own.
unsafe impl GlobalAlloc for Heap {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
