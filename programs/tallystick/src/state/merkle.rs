//! What a distribution's root commits to: docs/merkle.md says it byte by byte.

use anchor_lang::prelude::Pubkey;

use crate::runtime::sha256;

pub type Hash = [u8; 32];

const NODE: u8 = 1;
const BATCH: u8 = 2;
const ENTRY: u8 = 3;
pub const FLAT: u8 = 4;

/// Bytes of one entry in the text that the flat hash is of: address, bump, amount.
pub const ENTRY_LENGTH: usize = 32 + 1 + 8;

/// The leaf of a batch; `flat` and `entries_root` are over the same entries.
pub fn batch_leaf(distribution: &Pubkey, batch: u32, count: u8, flat: &Hash, entries_root: &Hash) -> Hash {
    let mut text = [0; 1 + 32 + 4 + 1 + 32 + 32];
    text[0] = BATCH;
    text[1..33].copy_from_slice(distribution.as_ref());
    text[33..37].copy_from_slice(&batch.to_le_bytes());
    text[37] = count;
    text[38..70].copy_from_slice(flat);
    text[70..].copy_from_slice(entries_root);
    sha256(&text)
}

/// The leaf of one entry of a batch.
pub fn entry_leaf(index: u8, address: &Pubkey, bump: u8, amount: u64) -> Hash {
    let mut text = [0; 1 + 1 + ENTRY_LENGTH];
    text[0] = ENTRY;
    text[1] = index;
    text[2..34].copy_from_slice(address.as_ref());
    text[34] = bump;
    text[35..].copy_from_slice(&amount.to_le_bytes());
    sha256(&text)
}

/// The root that a leaf and its inclusion proof lead to: RFC 9162, 2.1.3.2. None where there is no such leaf, or the
/// proof has another length than that of this leaf.
pub fn root_of(leaf: Hash, index: u32, count: u32, proof: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut place, mut last) = (u64::from(index), u64::from(count - 1));
    let mut text = [0; 1 + 32 + 32];
    text[0] = NODE;
    let mut node = leaf;
    let mut path = proof.iter();
    while last > 0 {
        // The last node of a level of odd length has no sibling, and moves up as it is.
        if place % 2 == 1 {
            text[1..33].copy_from_slice(path.next()?);
            text[33..].copy_from_slice(&node);
            node = sha256(&text);
        } else if place < last {
            text[1..33].copy_from_slice(&node);
            text[33..].copy_from_slice(path.next()?);
            node = sha256(&text);
        }
        place /= 2;
        last /= 2;
    }
    path.next().is_none().then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../../../tests/vectors/merkle.json");

    /// The values of a key of the vectors, in order. They are flat enough to be read without a JSON library.
    fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
        let marker = format!("\"{key}\": ");
        text.split(&marker)
            .skip(1)
            .map(|rest| {
                let end = if rest.starts_with('[') { ']' } else { '\n' };
                rest[..rest.find(end).unwrap()].trim_matches([',', '"', '[', ' ', '\n'])
            })
            .collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap())
            .collect()
    }

    fn bytes32(hex: &str) -> Hash {
        bytes(hex).try_into().unwrap()
    }

    fn hashes(list: &str) -> Vec<Hash> {
        list.split(',')
            .map(|each| each.trim_matches(['"', ' ', '\n']))
            .filter(|each| !each.is_empty())
            .map(bytes32)
            .collect()
    }

    #[test]
    fn hashes_are_those_of_the_vectors() {
        let distribution = Pubkey::from(bytes32(values(VECTORS, "distribution")[0]));
        let entries = VECTORS.split("\"address\": ").skip(1);
        let mut count = 0;
        for (entry, leaf) in entries.zip(values(VECTORS, "entry_leaf")) {
            let address = Pubkey::from(bytes32(
                entry[..entry.find('\n').unwrap()].trim_matches([',', '"']),
            ));
            let number = |key| values(entry, key)[0].parse::<u64>().unwrap();
            let expected = bytes32(leaf);
            assert_eq!(
                entry_leaf(
                    number("index") as u8,
                    &address,
                    number("bump") as u8,
                    number("amount")
                ),
                expected
            );
            count += 1;
        }
        assert!(count > 3);
        let batches = VECTORS.split("\"batch\": ").skip(1);
        for batch in batches {
            let number: u32 = batch[..batch.find(',').unwrap()].parse().unwrap();
            let count = values(batch, "count")[0].parse().unwrap();
            let text = bytes(values(batch, "flat_text")[0]);
            let flat = sha256(&text);
            assert_eq!(text[0], FLAT);
            assert_eq!(flat, bytes32(values(batch, "flat_hash")[0]));
            let entries_root = bytes32(values(batch, "entries_root")[0]);
            assert_eq!(
                batch_leaf(&distribution, number, count, &flat, &entries_root),
                bytes32(values(batch, "batch_leaf")[0])
            );
        }
    }

    #[test]
    fn every_proof_of_the_vectors_leads_to_its_root_and_no_other_index_or_count_does() {
        let proofs = VECTORS.split("\"leaf\": ").skip(1);
        let mut checked = 0;
        for proof in proofs {
            let leaf = bytes32(proof[..proof.find('\n').unwrap()].trim_matches([',', '"']));
            let number = |key| values(proof, key)[0].parse::<u32>().unwrap();
            let (index, count) = (number("leaf_index"), number("leaf_count"));
            let path = hashes(values(proof, "proof")[0]);
            let root = bytes32(values(proof, "root")[0]);
            assert_eq!(root_of(leaf, index, count, &path), Some(root));
            for other in (0..count).filter(|other| *other != index) {
                assert_ne!(root_of(leaf, other, count, &path), Some(root));
            }
            assert_eq!(root_of(leaf, count, count, &path), None);
            let longer = [path.clone(), vec![[7; 32]]].concat();
            assert_eq!(root_of(leaf, index, count, &longer), None);
            if let Some((_, shorter)) = path.split_last() {
                assert_eq!(root_of(leaf, index, count, shorter), None);
            }
            checked += 1;
        }
        assert!(checked > 20);
    }

    #[test]
    fn a_tree_of_nothing_has_no_leaf() {
        assert_eq!(root_of([1; 32], 0, 0, &[]), None);
        assert_eq!(root_of([1; 32], 0, 1, &[]), Some([1; 32]));
    }
}
