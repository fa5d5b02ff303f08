//! The nearest free ids of a vector, as many as are asked for, by branch and bound.
//!
//! Below a prefix that leaves `r` over, the squared distance of the codes `c` is
//! `|r|² + Σ (|e(c)|² - 2 r·e(c)) + 2 Σ e(c)·e(c')`, over the levels and over pairs of them. The first sum is known for all codes
//! before the search; products of entries are made once. A part of the tree is left out if it is full, or if even the least of
//! each level's terms, with the least products that there are, is above the farthest of as many ids as are wanted.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::super::codebooks::{Codebooks, dot};
use super::taken::Taken;

/// What rounding may do to a squared distance, as a share of the squared lengths that it is made of, at most.
pub(super) const ROUNDING: f64 = 1e-12;

/// Codes below codebooks, of which ids are looked for.
#[derive(Debug)]
pub(super) struct Search<'b> {
    books: &'b Codebooks,
    /// By level: the codes that may be used, ascending.
    pub allowed: Vec<Vec<u32>>,
    /// By level, code and later level: the products of the code's entry with that level's allowed ones.
    products: HashMap<(usize, u32, usize), Arc<[f64]>>,
    /// By level and later level: what products of allowed entries are not below.
    least: HashMap<(usize, usize), LeastProducts>,
    /// By level: the greatest length of an allowed entry.
    longest: Vec<f64>,
}

/// The most products of two levels that are looked at for the least of them.
const MOST_PRODUCTS: usize = 1 << 22;

/// What the products of two levels' entries are not below.
#[derive(Debug, Clone)]
struct LeastProducts {
    /// By allowed code of the earlier level.
    by_code: Arc<[f64]>,
    of_all: f64,
}

/// A free id: what is left of a vector's codes after a prefix.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// Squared distance.
    pub error: f64,
    pub codes: Box<[u32]>,
}

impl Candidate {
    /// Nearer ones first, of equal ones the smaller codes.
    pub fn order(one: (f64, &[u32]), other: (f64, &[u32])) -> Ordering {
        one.0.total_cmp(&other.0).then_with(|| one.1.cmp(other.1))
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        Self::order((self.error, &self.codes), (other.error, &other.codes))
    }
}

/// The best ids of a search so far.
struct Best {
    wanted: usize,
    /// The farthest on top.
    found: BinaryHeap<Candidate>,
}

impl Best {
    /// The farthest of them once there are enough.
    fn farthest(&self) -> Option<&Candidate> {
        self.found.peek().filter(|_| self.found.len() >= self.wanted)
    }

    fn offer(&mut self, error: f64, codes: &[u32]) {
        let nearer = |farthest: &Candidate| {
            Candidate::order((error, codes), (farthest.error, &farthest.codes)) == Ordering::Less
        };
        if self.farthest().is_some_and(|farthest| !nearer(farthest)) {
            return;
        }
        self.found.push(Candidate { error, codes: codes.into() });
        if self.found.len() > self.wanted {
            self.found.pop();
        }
    }
}

/// A level with what is known of it during a search.
#[derive(Clone)]
struct Terms {
    /// By allowed code: what it adds to the squared distance, products with codes of levels below left out.
    values: Arc<[f64]>,
    least: f64,
}

impl Terms {
    fn new(values: Arc<[f64]>) -> Self {
        Self { least: values.iter().copied().fold(f64::INFINITY, f64::min), values }
    }
}

/// Where a search is.
struct Place<'s> {
    /// The codes that all have, then those that are looked below.
    codes: &'s mut Vec<u32>,
    /// How many all have.
    shared: usize,
    taken: &'s Taken,
    best: &'s mut Best,
    /// What rounding may do to a squared distance or a bound, at most.
    slack: f64,
    /// Space for the errors of a level's codes.
    errors: Vec<f64>,
}

impl<'b> Search<'b> {
    pub fn new(books: &'b Codebooks, allowed: Vec<Vec<u32>>) -> Self {
        let length = |level: usize| move |&code: &u32| books.square(level, code).sqrt();
        let longest =
            allowed.iter().enumerate().map(|(level, codes)| codes.iter().map(length(level)).fold(0.0, f64::max));
        Self { longest: longest.collect(), books, allowed, products: HashMap::new(), least: HashMap::new() }
    }

    /// What is left of a vector after a prefix.
    pub fn left(&self, vector: &[f64], prefix: &[u32]) -> Vec<f64> {
        let mut left = vector.to_vec();
        prefix.iter().enumerate().for_each(|(level, &code)| self.books.subtract(&mut left, level, code));
        left
    }

    /// The squared distance of what is left after `shared` levels from codes of the others: number by number as the search adds it.
    pub fn error(&self, left: &[f64], shared: usize, codes: &[u32]) -> f64 {
        let entry = |at: usize| self.books.entry(shared + at, codes[at]).unwrap_or_default();
        let term = |at: usize| {
            let alone = self.books.square(shared + at, codes[at]) - 2.0 * dot(left, entry(at));
            (0..at).fold(alone, |term, before| term + 2.0 * dot(entry(before), entry(at)))
        };
        (0..codes.len()).fold(dot(left, left), |error, at| error + term(at))
    }

    /// The nearest free ids that begin with these codes, ascending, `wanted` at most.
    pub fn nearest(&mut self, taken: &Taken, left: &[f64], prefix: &[u32], wanted: usize) -> Vec<Candidate> {
        let books = self.books;
        let terms = |level: usize| {
            let term = |&code: &u32| {
                let entry = books.entry(level, code).unwrap_or_default();
                books.square(level, code) - 2.0 * dot(left, entry)
            };
            Terms::new(self.allowed[level].iter().map(term).collect())
        };
        let terms: Vec<Terms> = (prefix.len()..books.levels()).map(terms).collect();
        let mut best = Best { wanted, found: BinaryHeap::new() };
        let square = dot(left, left);
        let slack =
            ROUNDING * (square + self.longest[prefix.len()..].iter().map(|length| length * length).sum::<f64>());
        let place = &mut Place {
            codes: &mut prefix.to_vec(),
            shared: prefix.len(),
            taken,
            best: &mut best,
            slack,
            errors: Vec::new(),
        };
        self.descend(place, square, &terms);
        best.found.into_sorted_vec()
    }

    /// Looks below a place, whose levels add up to `error`; `terms` are those of the levels that are left.
    fn descend(&mut self, place: &mut Place<'_>, error: f64, terms: &[Terms]) {
        let level = place.codes.len();
        let Some((own, later)) = terms.split_first() else { return };
        if later.is_empty() {
            return self.finish(place, error, own.values.iter().copied());
        }
        let after = level + 1..self.books.levels();
        // Products of the later levels with each other.
        let pairs = after.clone().flat_map(|one| (one + 1..self.books.levels()).map(move |other| (one, other)));
        let among: f64 = pairs.map(|(one, other)| 2.0 * self.least(one, other).of_all).sum();
        let rest = later.iter().map(|terms| terms.least).sum::<f64>() + among;
        let with_own: Vec<LeastProducts> = after.clone().map(|later| self.least(level, later)).collect();
        let bound = |(at, term): (usize, &f64)| {
            let products: f64 = with_own.iter().map(|least| 2.0 * least.by_code[at]).sum();
            (error + term + rest + products, at)
        };
        let mut order: Vec<(f64, usize)> = own.values.iter().enumerate().map(bound).collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (bound, at) in order {
            if place.is_hopeless(bound) {
                break;
            }
            let (code, error) = (self.allowed[level][at], error + own.values[at]);
            place.codes.push(code);
            if let [last] = later {
                let products = self.products(level, code, level + 1);
                let terms = last.values.iter().zip(products.iter()).map(|(term, product)| term + 2.0 * product);
                self.finish(place, error, terms);
            } else if !place.taken.is_full(place.codes, &self.allowed) {
                let below: Vec<Terms> =
                    after.clone().zip(later).map(|(later, terms)| self.with(level, code, later, terms)).collect();
                // Products with this code are known now.
                let bound = error + below.iter().map(|terms| terms.least).sum::<f64>() + among;
                if !place.is_hopeless(bound) {
                    self.descend(place, error, &below);
                }
            }
            place.codes.pop();
        }
    }

    /// The least products of two levels; of very many codes, what they cannot be below (Cauchy, Schwarz).
    fn least(&mut self, level: usize, later: usize) -> LeastProducts {
        if let Some(known) = self.least.get(&(level, later)) {
            return known.clone();
        }
        let codes = self.allowed[level].clone();
        let few = codes.len().saturating_mul(self.allowed[later].len()) <= MOST_PRODUCTS;
        let of_code = |&code: &u32| match few {
            true => self.products(level, code, later).iter().copied().fold(f64::INFINITY, f64::min),
            false => -self.books.square(level, code).sqrt() * self.longest[later],
        };
        let by_code: Arc<[f64]> = codes.iter().map(of_code).collect();
        let found = LeastProducts { of_all: by_code.iter().copied().fold(f64::INFINITY, f64::min), by_code };
        self.least.entry((level, later)).or_insert(found).clone()
    }

    /// The products of a code's entry with the allowed ones of a later level.
    fn products(&mut self, level: usize, code: u32, later: usize) -> Arc<[f64]> {
        let (books, allowed) = (self.books, &self.allowed[later]);
        let products = self.products.entry((level, code, later)).or_insert_with(|| {
            let own = books.entry(level, code).unwrap_or_default();
            allowed.iter().map(|&other| dot(own, books.entry(later, other).unwrap_or_default())).collect()
        });
        Arc::clone(products)
    }

    /// The terms of a later level under a code of this one.
    fn with(&mut self, level: usize, code: u32, later: usize, terms: &Terms) -> Terms {
        let products = self.products(level, code, later);
        Terms::new(terms.values.iter().zip(products.iter()).map(|(term, product)| term + 2.0 * product).collect())
    }

    /// The free codes of the last level, of which these are the terms.
    fn finish(&self, place: &mut Place<'_>, error: f64, terms: impl Iterator<Item = f64>) {
        let allowed = &self.allowed[place.codes.len()];
        let taken = place.taken.last_codes(place.codes);
        if taken.len() == allowed.len() {
            return;
        }
        place.errors.clear();
        place.errors.extend(terms.map(|term| error + term));
        // Where much is taken, the nearest are: so they are left out before anything is compared.
        taken.iter().for_each(|&at| place.errors[at] = f64::NAN);
        let mut farthest = place.farthest();
        for (at, &code) in allowed.iter().enumerate() {
            let error = place.errors[at];
            if error <= farthest {
                place.codes.push(code);
                place.best.offer(error, &place.codes[place.shared..]);
                place.codes.pop();
                farthest = place.farthest();
            }
        }
    }
}

impl Place<'_> {
    /// Beyond this squared distance nothing is wanted any more.
    fn farthest(&self) -> f64 {
        self.best.farthest().map_or(f64::INFINITY, |farthest| farthest.error)
    }

    /// Whether nothing at this distance or beyond is wanted any more.
    fn is_hopeless(&self, bound: f64) -> bool {
        bound - self.slack > self.farthest()
    }
}
