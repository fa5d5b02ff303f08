//! The trie of code sequences that belong to items: what constrained decoding may generate.

use super::SemanticIndex;

/// A trie over all items' codes, stored level by level in flat arrays.
#[derive(Debug, Clone)]
pub struct Trie {
    /// `children[node]..children[node + 1]` are the edges of a node.
    first_edge: Vec<u32>,
    /// Code token of each edge, ascending within a node.
    edge_token: Vec<u32>,
    /// Node that an edge leads to; at the last level, the leaf's number.
    edge_target: Vec<u32>,
    /// `leaf_items[leaf_first[l]..leaf_first[l + 1]]` are the items that share leaf `l`'s codes.
    leaf_first: Vec<u32>,
    leaf_items: Vec<u32>,
    /// By level: the codes that some item has there, ascending.
    level_codes: Vec<Vec<u32>>,
}

impl Trie {
    /// Builds the trie of all items of an index.
    pub fn new(index: &SemanticIndex) -> Self {
        Self::of(index, 0..index.len() as u32)
    }

    /// Builds the trie of some items of an index, each given once.
    pub fn of(index: &SemanticIndex, items: impl IntoIterator<Item = u32>) -> Self {
        let order = in_order_of_codes(index, items.into_iter().collect());
        // Nodes are made breadth first: each is a run of `order` that shares a prefix.
        let mut trie = Self {
            first_edge: vec![0],
            edge_token: Vec::new(),
            edge_target: Vec::new(),
            leaf_first: vec![0],
            leaf_items: Vec::new(),
            level_codes: (0..index.levels).map(|level| codes_at(index, &order, level)).collect(),
        };
        let root = 0..order.len();
        let mut level_nodes = vec![root];
        let mut nodes = 1;
        for level in 0..index.levels {
            let last = level + 1 == index.levels;
            let mut next = Vec::new();
            for run in level_nodes {
                let mut from = run.start;
                while from < run.end {
                    let token = index.item(order[from])[level];
                    let to = (from..run.end).find(|&i| index.item(order[i])[level] != token).unwrap_or(run.end);
                    trie.edge_token.push(token);
                    if last {
                        trie.edge_target.push(trie.leaf_first.len() as u32 - 1);
                        trie.leaf_items.extend_from_slice(&order[from..to]);
                        trie.leaf_first.push(trie.leaf_items.len() as u32);
                    } else {
                        trie.edge_target.push(nodes);
                        nodes += 1;
                        next.push(from..to);
                    }
                    from = to;
                }
                trie.first_edge.push(trie.edge_token.len() as u32);
            }
            level_nodes = next;
        }
        trie
    }

    /// The root, from which every item's first code leads on.
    pub const ROOT: u32 = 0;

    /// Number of nodes, leaves not among them.
    pub fn nodes(&self) -> usize {
        self.first_edge.len() - 1
    }

    /// Tokens an item.
    pub fn levels(&self) -> usize {
        self.level_codes.len()
    }

    /// The codes that some item has at a level (from 0), ascending.
    pub fn level_codes(&self, level: usize) -> &[u32] {
        &self.level_codes[level]
    }

    /// The code tokens that may follow at a node, ascending, each with the node (at the last level: leaf) it leads to.
    pub fn edges(&self, node: u32) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let range = self.first_edge[node as usize] as usize..self.first_edge[node as usize + 1] as usize;
        self.edge_token[range.clone()].iter().copied().zip(self.edge_target[range].iter().copied())
    }

    /// The nodes at which each of a sequence's codes is chosen, as far as items exist.
    pub fn path<'a>(&'a self, codes: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let mut node = Some(Self::ROOT);
        codes.iter().map_while(move |&code| {
            let at = node?;
            node = self.next(at, code);
            Some(at)
        })
    }

    /// The items that share a leaf's codes, ascending.
    pub fn leaf(&self, leaf: u32) -> &[u32] {
        &self.leaf_items[self.leaf_first[leaf as usize] as usize..self.leaf_first[leaf as usize + 1] as usize]
    }

    /// Number of distinct ids.
    pub fn leaves(&self) -> usize {
        self.leaf_first.len() - 1
    }

    /// The leaf of a full code sequence, if it belongs to an item.
    pub fn find(&self, codes: &[u32]) -> Option<u32> {
        if codes.len() != self.levels() {
            return None;
        }
        codes.iter().try_fold(Self::ROOT, |node, &code| self.next(node, code))
    }

    /// The node (at the last level: leaf) that a code leads to.
    fn next(&self, node: u32, code: u32) -> Option<u32> {
        let first = self.first_edge[node as usize] as usize;
        let tokens = &self.edge_token[first..self.first_edge[node as usize + 1] as usize];
        tokens.binary_search(&code).ok().map(|edge| self.edge_target[first + edge])
    }

    /// Bytes that its arrays take.
    pub fn bytes(&self) -> usize {
        let codes: usize = self.level_codes.iter().map(Vec::len).sum();
        let arrays = [&self.first_edge, &self.edge_token, &self.edge_target, &self.leaf_first, &self.leaf_items];
        size_of::<u32>() * (codes + arrays.map(Vec::len).iter().sum::<usize>())
    }
}

/// Items by their codes, and by number where these are the same. Sorted by counting from the last level to the first, which
/// reads each code once and compares nothing.
fn in_order_of_codes(index: &SemanticIndex, mut items: Vec<u32>) -> Vec<u32> {
    items.sort_unstable();
    let mut sorted = vec![0; items.len()];
    for level in (0..index.levels).rev() {
        let mut first = vec![0; index.tokens.len() + 1];
        for &item in &items {
            first[index.item(item)[level] as usize + 1] += 1;
        }
        for token in 1..first.len() {
            first[token] += first[token - 1];
        }
        for &item in &items {
            let place = &mut first[index.item(item)[level] as usize];
            sorted[*place] = item;
            *place += 1;
        }
        std::mem::swap(&mut items, &mut sorted);
    }
    items
}

/// The distinct codes of items at a level, ascending.
fn codes_at(index: &SemanticIndex, items: &[u32], level: usize) -> Vec<u32> {
    let mut occurs = vec![false; index.tokens.len()];
    items.iter().for_each(|&item| occurs[index.item(item)[level] as usize] = true);
    (0..).zip(occurs).filter(|(_, occurs)| *occurs).map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trie(levels: usize, numbers: &[u32]) -> (SemanticIndex, Trie) {
        let index = SemanticIndex::from_numbers(levels, numbers);
        let trie = Trie::new(&index);
        (index, trie)
    }

    /// Every leaf that can be reached, with the codes on the way.
    fn walk(trie: &Trie, node: u32, codes: &mut Vec<u32>, found: &mut Vec<(Vec<u32>, u32)>) {
        for (token, target) in trie.edges(node) {
            codes.push(token);
            if codes.len() == trie.levels() {
                found.push((codes.clone(), target));
            } else {
                walk(trie, target, codes, found);
            }
            codes.pop();
        }
    }

    #[test]
    fn one_item_is_one_path() {
        let (index, trie) = trie(4, &[5, 6, 7, 8]);
        assert_eq!((trie.levels(), trie.leaves()), (4, 1));
        assert_eq!(trie.find(index.item(0)), Some(0));
        assert_eq!(trie.leaf(0), [0]);
        assert_eq!(trie.edges(Trie::ROOT).collect::<Vec<_>>(), [(0, 1)]);
    }

    #[test]
    fn items_of_one_id_share_a_leaf_in_ascending_order() {
        let (index, trie) = trie(2, &[3, 1, 0, 0, 3, 1, 3, 0]);
        assert_eq!(trie.leaves(), 3);
        let leaf = trie.find(index.item(0)).unwrap();
        assert_eq!(trie.leaf(leaf), [0, 2]);
        assert_eq!(trie.find(index.item(2)), Some(leaf));
        assert_eq!(trie.leaf(trie.find(index.item(3)).unwrap()), [3]);
    }

    #[test]
    fn what_belongs_to_no_item_is_not_found() {
        let (index, trie) = trie(2, &[0, 0, 1, 1]);
        let [a, b] = [index.item(0), index.item(1)];
        assert_eq!(trie.find(&[a[0], b[1]]), None);
        assert_eq!(trie.find(&a[..1]), None);
        assert_eq!(trie.find(&[a[0], a[1], a[1]]), None);
        assert_eq!(trie.find(&[99, a[1]]), None);
    }

    #[test]
    fn a_trie_of_some_items_has_their_codes_and_leaves_alone() {
        // Items 0 and 2 share an id, 1 shares its first code with them, 3 has codes of its own.
        let index = SemanticIndex::from_numbers(2, &[3, 1, 3, 2, 3, 1, 7, 2]);
        let some = Trie::of(&index, [1, 2]);
        assert_eq!((some.leaves(), some.levels()), (2, 2));
        assert_eq!(some.find(index.item(0)).map(|leaf| some.leaf(leaf)), Some(&[2][..]), "0 is not among them");
        assert_eq!(some.find(index.item(3)), None);
        let [whole, some] = [Trie::new(&index), some].map(|trie| [0, 1].map(|level| trie.level_codes(level).to_vec()));
        assert_eq!(whole.concat(), (0..index.tokens.len() as u32).collect::<Vec<_>>());
        assert_eq!(some, [vec![index.item(1)[0]], vec![index.item(2)[1], index.item(1)[1]]]);
    }

    #[test]
    fn no_item_is_no_path() {
        let (_, trie) = trie(3, &[]);
        assert_eq!((trie.leaves(), trie.edges(Trie::ROOT).len()), (0, 0));
    }

    proptest! {
        #[test]
        fn the_paths_are_the_items_and_edges_ascend(rows in prop::collection::vec(prop::array::uniform3(0u32..6), 1..120)) {
            let (index, trie) = trie(3, rows.as_flattened());
            let mut found = Vec::new();
            walk(&trie, Trie::ROOT, &mut Vec::new(), &mut found);
            // Depth first over ascending edges: the paths come sorted, each once, and name the leaves in order.
            prop_assert!(found.is_sorted_by(|one, other| one.0 < other.0));
            prop_assert!(found.iter().map(|(_, leaf)| *leaf).eq(0..trie.leaves() as u32));
            let mut items = Vec::new();
            for (codes, leaf) in &found {
                prop_assert_eq!(trie.find(codes), Some(*leaf));
                prop_assert!(trie.leaf(*leaf).is_sorted());
                prop_assert!(trie.leaf(*leaf).iter().all(|&item| index.item(item) == codes.as_slice()));
                items.extend_from_slice(trie.leaf(*leaf));
            }
            items.sort_unstable();
            prop_assert!(items.into_iter().eq(0..rows.len() as u32));
        }
    }
}
