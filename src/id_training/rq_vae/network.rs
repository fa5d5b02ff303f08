//! The network: an encoder, codebooks whose entries add up to the code, and a decoder.

use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::sinkhorn;

/// Weight of the loss that draws the encoder to the codebooks.
const COMMITMENT: f64 = 0.25;

/// Encoder, decoder and codebooks.
#[derive(Debug, Clone)]
pub(super) struct Network<B: Backend> {
    /// Weight `[out, in]` and bias `[1, out]` of each layer of the encoder, then of the decoder; then a codebook `[codes,
    /// width]` a level.
    pub parameters: Vec<Tensor<B, 2>>,
    /// Layers of the encoder, and of the decoder.
    pub depth: usize,
}

/// What a batch becomes.
pub(super) struct Forward<B: Backend> {
    /// Mean squared error of the decoder's output.
    pub reconstruction: Tensor<B, 1>,
    /// Mean over levels of what codebooks and encoder are apart.
    pub quantisation: Tensor<B, 1>,
    /// `rows x levels`, row-major.
    pub codes: Vec<u32>,
    /// By level: what the levels before leave over.
    pub residuals: Vec<Tensor<B, 2>>,
    /// By level: the sum of the entries so far.
    pub sums: Vec<Tensor<B, 2>>,
}

impl<B: Backend> Network<B> {
    pub fn books(&self) -> &[Tensor<B, 2>] {
        &self.parameters[4 * self.depth..]
    }

    pub fn encode(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.layers(0, x)
    }

    pub fn decode(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.layers(2 * self.depth, x)
    }

    /// Layers from a parameter on, with ReLU between them.
    fn layers(&self, from: usize, mut x: Tensor<B, 2>) -> Tensor<B, 2> {
        for layer in 0..self.depth {
            let at = from + 2 * layer;
            x = x.matmul(self.parameters[at].clone().transpose()) + self.parameters[at + 1].clone();
            if layer + 1 < self.depth {
                x = relu(x);
            }
        }
        x
    }

    /// The nearest codes, `rows x levels`, row-major.
    pub fn codes(&self, x: Tensor<B, 2>) -> Vec<u32> {
        let mut residual = self.encode(x);
        let rows = residual.dims()[0];
        let levels = self.books().len();
        let mut codes = vec![0; rows * levels];
        for (level, book) in self.books().iter().enumerate() {
            let chosen = choose(&residual, book, None);
            put(&mut codes, level, levels, &chosen);
            residual = residual - entries(book, chosen);
        }
        codes
    }

    /// A forward pass. With an `epsilon` the codes of the last level are those of a transport plan that uses them alike;
    /// else, as on the other levels, the nearest.
    pub fn forward(&self, x: Tensor<B, 2>, epsilon: Option<f64>) -> Forward<B> {
        let mut residual = self.encode(x.clone());
        let rows = residual.dims()[0];
        let levels = self.books().len();
        let mut sum = Tensor::zeros(residual.dims(), &residual.device());
        let mut losses = Vec::new();
        let mut codes = vec![0; rows * levels];
        let (mut residuals, mut sums) = (Vec::new(), Vec::new());
        for (level, book) in self.books().iter().enumerate() {
            let chosen = choose(&residual, book, epsilon.filter(|_| level + 1 == levels));
            put(&mut codes, level, levels, &chosen);
            let entry = entries(book, chosen);
            let to_book = mean_square(entry.clone() - residual.clone().detach());
            let to_encoder = mean_square(entry.clone().detach() - residual.clone());
            losses.push(to_book + to_encoder.mul_scalar(COMMITMENT));
            // The gradient passes the choice as if it were not there.
            let passed = residual.clone() + (entry - residual.clone()).detach();
            residuals.push(residual.clone());
            residual = residual - passed.clone();
            sum = sum + passed;
            sums.push(sum.clone());
        }
        Forward {
            reconstruction: mean_square(self.decode(sum) - x),
            quantisation: Tensor::cat(losses, 0).mean(),
            codes,
            residuals,
            sums,
        }
    }
}

/// Puts the codes of one of so many levels into `rows x levels` codes.
fn put(codes: &mut [u32], level: usize, levels: usize, chosen: &[i64]) {
    codes.iter_mut().skip(level).step_by(levels).zip(chosen).for_each(|(code, &chosen)| *code = chosen as u32);
}

/// The entries of a codebook that rows have chosen.
fn entries<B: Backend>(book: &Tensor<B, 2>, chosen: Vec<i64>) -> Tensor<B, 2> {
    let rows = chosen.len();
    book.clone().select(0, Tensor::<B, 1, Int>::from_data(TensorData::new(chosen, [rows]), &book.device()))
}

fn mean_square<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 1> {
    (x.clone() * x).mean()
}

/// The code of each row.
fn choose<B: Backend>(residual: &Tensor<B, 2>, book: &Tensor<B, 2>, epsilon: Option<f64>) -> Vec<i64> {
    let (residual, book) = (residual.clone().detach(), book.clone().detach());
    let codes = book.dims()[0];
    let squares = |x: &Tensor<B, 2>| (x.clone() * x.clone()).sum_dim(1);
    let distances = squares(&residual) + squares(&book).transpose() - residual.matmul(book.transpose()).mul_scalar(2.0);
    let mut distances = numbers(distances);
    if let Some(epsilon) = epsilon {
        // The largest share is the smallest negative one.
        distances = sinkhorn::plan(&sinkhorn::centred(&distances), codes, epsilon);
        distances.iter_mut().for_each(|share| *share = -*share);
    }
    distances.chunks(codes).map(|row| argmin(row) as i64).collect()
}

/// The index of the smallest value; the first of several.
fn argmin(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, index| if row[index] < row[best] { index } else { best })
}

/// The values of a tensor, row-major.
pub(super) fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}
