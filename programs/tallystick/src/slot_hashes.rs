//! The chain's record of its last 512 slots and their hashes, newest first, read where it lies: it is 20,488 bytes long.

use anchor_lang::prelude::*;

use crate::errors::TallystickError;

/// Where the chain keeps it.
pub const ADDRESS: Pubkey = pubkey!("SysvarS1otHashes111111111111111111111111111");
/// How many slots the record has once the chain is that old.
pub const CAPACITY: usize = 512;
const HEADER: usize = 8;
const ENTRY: usize = 8 + 32;

/// The first slot at or after a target that the chain did not skip, and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No slot at or after the target has a hash yet.
    NotYet,
    /// The record begins after the target: which slot was the first is no longer in it, and whoever looked last could
    /// choose one.
    Gone,
    Found(u64, [u8; 32]),
}

/// Looks in the record's data: the number of entries as u64, then slot and hash of each, slots descending.
pub fn first_at_or_after(account: &AccountInfo, target: u64) -> Result<Lookup> {
    lookup(&account.try_borrow_data()?, target).ok_or_else(|| TallystickError::NotSlotHashes.into())
}

fn lookup(data: &[u8], target: u64) -> Option<Lookup> {
    let count = usize::try_from(number(data, 0)?).ok()?;
    let entries = data.get(HEADER..)?.get(..count.checked_mul(ENTRY)?)?;
    // Entries before `later` are at or after the target.
    let (mut later, mut end) = (0, count);
    while later < end {
        let middle = later + (end - later) / 2;
        if number(entries, middle * ENTRY)? >= target {
            later = middle + 1;
        } else {
            end = middle;
        }
    }
    let Some(first) = later.checked_sub(1) else {
        return Some(Lookup::NotYet);
    };
    let slot = number(entries, first * ENTRY)?;
    if later == count && count >= CAPACITY && slot > target {
        return Some(Lookup::Gone);
    }
    let hash = entries.get(first * ENTRY + 8..(first + 1) * ENTRY)?;
    Some(Lookup::Found(slot, hash.try_into().ok()?))
}

fn number(data: &[u8], offset: usize) -> Option<u64> {
    let bytes = data.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of these slots, ascending here, each with a hash of its own number.
    fn record(slots: impl DoubleEndedIterator<Item = u64>) -> Vec<u8> {
        let slots: Vec<u64> = slots.rev().collect();
        let mut data = vec![0; HEADER + CAPACITY * ENTRY];
        data[..8].copy_from_slice(&(slots.len() as u64).to_le_bytes());
        for (place, slot) in slots.iter().enumerate() {
            let start = HEADER + place * ENTRY;
            data[start..start + 8].copy_from_slice(&slot.to_le_bytes());
            data[start + 8..start + ENTRY].copy_from_slice(&hash_of(*slot));
        }
        data
    }

    fn hash_of(slot: u64) -> [u8; 32] {
        [slot.to_le_bytes(); 4].concat().try_into().unwrap()
    }

    #[test]
    fn it_is_the_lowest_slot_at_or_after_the_target() {
        let data = record(1_000..1_512);
        for target in 1_000..1_512 {
            assert_eq!(
                lookup(&data, target),
                Some(Lookup::Found(target, hash_of(target)))
            );
        }
    }

    #[test]
    fn a_skipped_slot_gives_way_to_the_next() {
        let data = record((0..512).map(|number| 1_000 + 3 * number));
        for target in 1_001..2_500_u64 {
            let expected = 1_000 + (target - 1_000).next_multiple_of(3);
            assert_eq!(
                lookup(&data, target),
                Some(Lookup::Found(expected, hash_of(expected)))
            );
        }
    }

    #[test]
    fn a_target_after_the_newest_slot_is_not_there_yet() {
        assert_eq!(lookup(&record(1_000..1_512), 1_512), Some(Lookup::NotYet));
        assert_eq!(lookup(&record(0..0), 0), Some(Lookup::NotYet));
    }

    #[test]
    fn a_target_before_the_oldest_slot_of_a_full_record_is_gone() {
        assert_eq!(lookup(&record(1_000..1_512), 999), Some(Lookup::Gone));
        // Young chains, whose record is not full, have lost nothing.
        assert_eq!(
            lookup(&record(1_000..1_100), 999),
            Some(Lookup::Found(1_000, hash_of(1_000)))
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert_eq!(lookup(&[], 1), None);
        assert_eq!(lookup(&[1, 0, 0, 0, 0, 0, 0, 0], 1), None);
        assert_eq!(lookup(&[255; 100], 1), None);
    }
}
