//! Vectors of texts: what a decoder makes of their tokens, pooled.

use super::adapter::Matrix;
use super::kernels::Kernels;
use super::llama::Llama;
use super::packing::{Branch, Packed, Sequence};

/// Tokens of a batch, counted as if all its texts were as long as its longest.
const MAX_TOKENS: usize = 2048;

/// A text as its model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// What the model wants before every text.
    pub before: Vec<u32>,
    /// The text's own tokens.
    pub own: Vec<u32>,
}

impl Tokens {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.before.len() + self.own.len()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Vectors of texts, `[texts, width]`: the mean over a text's own tokens of the last hidden state, after the final norm. Tokens
/// before the text (a beginning-of-text token) are read and not part of the mean; a text without tokens is 0.
pub fn pooled<B: Kernels>(model: &Llama<B>, texts: &[&Tokens]) -> Matrix {
    let width = model.config.width;
    let mut vectors = Matrix::zeros(texts.len(), width);
    let sequence = |text: &&Tokens| {
        let tokens = [text.before.as_slice(), &text.own].concat();
        Sequence { prefix: Vec::new(), branches: vec![Branch::unscored(0, tokens)] }
    };
    let packed = Packed::new(&texts.iter().map(sequence).collect::<Vec<_>>());
    if packed.tokens.is_empty() {
        return vectors;
    }
    let hidden = Matrix::from_tensor(model.hidden(&packed));
    let mut from = 0;
    for (text, vector) in texts.iter().zip(vectors.values.chunks_mut(width)) {
        let mut sum = vec![0.0f64; width];
        for state in hidden.values[(from + text.before.len()) * width..(from + text.len()) * width].chunks(width) {
            sum.iter_mut().zip(state).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        if !text.own.is_empty() {
            vector.iter_mut().zip(sum).for_each(|(value, sum)| *value = (sum / text.own.len() as f64) as f32);
        }
        from += text.len();
    }
    vectors
}

/// The order in which texts are read: the short ones first, so that a batch has texts of about one length.
pub fn by_length(texts: &[Tokens]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&text| (texts[text].len(), text));
    order
}

/// How many of the texts at the beginning of an ascending order are read at once: one at least.
pub fn batch(texts: &[Tokens], order: &[usize]) -> usize {
    let fits = |(index, text): &(usize, &usize)| (index + 1) * texts[**text].len() <= MAX_TOKENS;
    order.iter().enumerate().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_texts_of_about_one_length_and_all_of_them() {
        let text = |length: usize| Tokens { before: vec![1], own: vec![5; length] };
        let texts: Vec<Tokens> = [900, 3, 5000, 1000, 4].map(text).into();
        let order = by_length(&texts);
        assert_eq!(order, [1, 4, 0, 3, 2]);
        let mut left = order.as_slice();
        let mut sizes = Vec::new();
        while !left.is_empty() {
            let size = batch(&texts, left);
            sizes.push(size);
            left = &left[size..];
        }
        // Two texts of 901 tokens would fit, three would not; the last is longer than a batch.
        assert_eq!(sizes, [2, 2, 1]);
    }
}
