//! A divergence between the predictions before the stage (the teacher's) and now (the student's).

use std::sync::Arc;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::model::kernels::plain::log_probabilities;

/// A weighted divergence between two models' next-token distributions, the mean over response tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Teacher {
    pub lambda: f64,
    /// Divides the logits of both.
    pub temperature: f64,
    pub toward: Toward,
}

/// The distribution that the divergence is taken under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// `KL(teacher || student)`: the student covers what the teacher predicts.
    Teacher,
    /// `KL(student || teacher)`.
    Student,
}

impl Teacher {
    /// `lambda` times the divergence, `[1]`; logits `[rows, vocabulary]`, over each row's candidates where there are any.
    pub fn divergence<B: Backend>(
        &self,
        student: Tensor<B, 2>,
        teacher: Tensor<B, 2>,
        candidates: &[Arc<[u32]>],
    ) -> Tensor<B, 1> {
        let rows = student.dims()[0].max(1);
        let log = |logits| log_probabilities(logits, self.temperature, candidates);
        let (student, teacher) = (log(student), log(teacher));
        let (under, other) = match self.toward {
            Toward::Teacher => (teacher, student),
            Toward::Student => (student, teacher),
        };
        (under.clone().exp() * (under - other)).sum().mul_scalar(self.lambda / rows as f64)
    }
}
