//! A hash of a dataset's content: the same data give the same hash, wherever the files lie; and how other content is hashed.

use sha2::{Digest, Sha256};

use super::Dataset;

impl Dataset {
    /// SHA-256 (hex) over catalogue, codes, users and stages in place order. The name is not part of it.
    pub(crate) fn content_hash(&self) -> String {
        let mut hash = ContentHash::new("dataset 1");
        hash.numbers(&[self.items.len() as u32, self.index.levels as u32, u32::from(self.synthetic)]);
        for item in &self.items {
            hash.text(&item.id);
            hash.text(item.title.as_deref().unwrap_or_default());
        }
        hash.numbers(&[self.index.tokens.len() as u32]);
        self.index.tokens.iter().for_each(|token| hash.text(token));
        hash.numbers(&self.index.codes);
        hash.numbers(&[self.users.len() as u32]);
        self.users.iter().for_each(|user| hash.text(user));
        for stage in &self.stages {
            hash.numbers(&[stage.sequences.len() as u32]);
            for sequence in &stage.sequences {
                hash.numbers(&[sequence.user, sequence.current_from as u32]);
                hash.numbers(&sequence.items);
            }
        }
        hash.finish()
    }
}

/// SHA-256 over parts. Every part goes in with its length, so that no two contents give the same bytes.
pub(super) struct ContentHash(Sha256);

impl ContentHash {
    /// `kind` says what is hashed and how; another way of hashing is another kind.
    pub(super) fn new(kind: &str) -> Self {
        let mut hash = Self(Sha256::new());
        hash.text(kind);
        hash
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(super) fn numbers(&mut self, numbers: &[u32]) {
        self.0.update((numbers.len() as u64).to_le_bytes());
        numbers.iter().for_each(|number| self.0.update(number.to_le_bytes()));
    }

    /// In hexadecimal digits.
    pub(super) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
