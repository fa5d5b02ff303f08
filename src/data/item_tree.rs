//! Items as a tree of the codes of their semantic ids, to be opened level by level.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{ByStage, Dataset};

/// The items in the order of their ids, and the codes that several of them begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemTree {
    /// Items by their codes; those of one id most popular first.
    order: Vec<u32>,
    /// Depth first. A code that one item alone has is no node: the item stands for it.
    nodes: Vec<Node>,
    /// Interactions by stage of the first items in `order`: `(items + 1) x stages`, row-major.
    sums: Vec<u64>,
    stages: usize,
}

/// Items whose ids begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The level of the code, from 0.
    pub level: usize,
    /// The code token.
    pub code: u32,
    /// Its items, as indices in the order.
    from: u32,
    to: u32,
    /// The first node that is not below it.
    end: u32,
    /// Whether its items have the whole id in common.
    pub shared: bool,
}

/// One line of the tree as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// A node, by its index.
    Node(u32),
    /// An item, below so many codes.
    Item { item: u32, depth: usize },
}

impl Node {
    /// Items below it.
    pub fn items(&self) -> usize {
        (self.to - self.from) as usize
    }
}

impl ItemTree {
    /// Orders the items of a dataset whose counts are `items`.
    pub fn new(dataset: &Dataset, items: &ByStage) -> Self {
        let index = &dataset.index;
        let mut order: Vec<u32> = (0..dataset.items.len() as u32).collect();
        order.sort_by_cached_key(|&item| (index.item(item), std::cmp::Reverse(items.total(item)), item));
        let stages = items.stages();
        let mut sums = vec![0; stages];
        for &item in &order {
            let last = sums.len() - stages;
            for (stage, &count) in items.row(item).iter().enumerate() {
                sums.push(sums[last + stage] + u64::from(count));
            }
        }
        let mut tree = Self { order, nodes: Vec::new(), sums, stages };
        tree.grow(dataset, 0..dataset.items.len(), 0);
        tree
    }

    /// Adds the nodes of a level among the items of a range.
    fn grow(&mut self, dataset: &Dataset, range: Range<usize>, level: usize) {
        let levels = dataset.index.levels;
        let mut at = range.start;
        while at < range.end {
            let code = dataset.index.item(self.order[at])[level];
            let same =
                self.order[at..range.end].iter().take_while(|&&item| dataset.index.item(item)[level] == code).count();
            if same > 1 {
                let index = self.nodes.len();
                let shared = level + 1 == levels;
                self.nodes.push(Node { level, code, from: at as u32, to: (at + same) as u32, end: 0, shared });
                if !shared {
                    self.grow(dataset, at..at + same, level + 1);
                }
                self.nodes[index].end = self.nodes.len() as u32;
            }
            at += same;
        }
    }

    /// A node by its index.
    pub fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    /// Interactions by stage with the items of a node.
    pub fn counts(&self, node: &Node) -> Vec<u32> {
        let sums = |at: u32| &self.sums[at as usize * self.stages..][..self.stages];
        let counts = sums(node.to).iter().zip(sums(node.from)).map(|(to, from)| to - from);
        counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX)).collect()
    }

    /// The visible rows where these nodes are open.
    pub fn branches(&self, open: &BTreeSet<u32>) -> Vec<Branch> {
        let mut branches = Vec::new();
        self.collect_branches(open, 0..self.order.len() as u32, 0, 0, &mut branches);
        branches
    }

    /// Adds the rows of the items of a range, whose nodes begin at `next`.
    fn collect_branches(
        &self,
        open: &BTreeSet<u32>,
        range: Range<u32>,
        mut next: u32,
        depth: usize,
        branches: &mut Vec<Branch>,
    ) {
        let mut at = range.start;
        while at < range.end {
            match self.nodes.get(next as usize).filter(|node| node.from == at && node.level == depth) {
                Some(node) => {
                    branches.push(Branch::Node(next));
                    if open.contains(&next) {
                        self.collect_branches(open, node.from..node.to, next + 1, depth + 1, branches);
                    }
                    (at, next) = (node.to, node.end);
                }
                None => {
                    branches.push(Branch::Item { item: self.order[at as usize], depth });
                    at += 1;
                }
            }
        }
    }

    /// The nodes above an item, to be opened so that it is shown.
    pub fn above(&self, item: u32) -> Vec<u32> {
        let Some(at) = self.order.iter().position(|&other| other == item) else { return Vec::new() };
        let mut above = Vec::new();
        let mut next = 0;
        while let Some(node) = self.nodes.get(next as usize) {
            let inside = (node.from..node.to).contains(&(at as u32));
            if inside {
                above.push(next);
            } else if node.from > at as u32 {
                break;
            }
            next = if inside { next + 1 } else { node.end };
        }
        above
    }

    /// Items that have the whole id of an item, itself among them.
    pub fn sharing(&self, dataset: &Dataset, item: u32) -> &[u32] {
        let codes = dataset.index.item(item);
        let from = self.order.partition_point(|&other| dataset.index.item(other) < codes);
        let to = self.order.partition_point(|&other| dataset.index.item(other) <= codes);
        &self.order[from..to]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Item, Stage};
    use crate::semantic_id::SemanticIndex;

    /// Ids (0, 0), (1, 2), (0, 1), (1, 2), (2, 0); item 3 is more popular than item 1.
    fn tree() -> (Dataset, ItemTree) {
        let sequence =
            |user, items: &[u32], current_from| crate::data::Sequence { user, items: items.to_vec(), current_from };
        let dataset = Dataset {
            name: "five".into(),
            items: (0..5).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: vec!["u".into(), "v".into()],
            index: SemanticIndex::from_numbers(2, &[0, 0, 1, 2, 0, 1, 1, 2, 2, 0]),
            stages: vec![
                Stage { sequences: vec![sequence(0, &[0, 3], 0), sequence(1, &[3, 4], 0)] },
                Stage { sequences: vec![sequence(0, &[0, 3, 1], 2)] },
            ],
            synthetic: false,
            hash: String::new(),
        };
        let tree = ItemTree::new(&dataset, &ByStage::of_items(&dataset));
        (dataset, tree)
    }

    #[test]
    fn levels_open_one_by_one() {
        let (dataset, tree) = tree();
        let item = |item, depth| Branch::Item { item, depth };
        assert_eq!(tree.branches(&BTreeSet::new()), [Branch::Node(0), Branch::Node(1), item(4, 0)]);
        let open = BTreeSet::from([0, 1]);
        let expected = [Branch::Node(0), item(0, 1), item(2, 1), Branch::Node(1), Branch::Node(2), item(4, 0)];
        assert_eq!(tree.branches(&open), expected);
        let all = tree.branches(&BTreeSet::from([1, 2]));
        assert_eq!(all, [Branch::Node(0), Branch::Node(1), Branch::Node(2), item(3, 2), item(1, 2), item(4, 0)]);
        let shared = tree.node(2);
        assert!(shared.shared && !tree.node(1).shared);
        assert_eq!((shared.items(), tree.counts(shared)), (2, vec![2, 1]));
        assert_eq!(tree.counts(tree.node(0)), [1, 0]);
        assert_eq!(dataset.index.tokens[shared.code as usize], "<b_2>");
    }

    #[test]
    fn an_item_is_found_with_what_is_above_it_and_who_shares_its_id() {
        let (dataset, tree) = tree();
        assert_eq!(tree.above(1), [1, 2]);
        assert_eq!(tree.above(2), [0]);
        assert!(tree.above(4).is_empty() && tree.above(9).is_empty());
        assert_eq!(tree.sharing(&dataset, 1), [3, 1]);
        assert_eq!(tree.sharing(&dataset, 4), [4]);
    }
}
