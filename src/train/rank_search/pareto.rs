//! Points of two costs, neither of which may grow: which are beaten, and how crowded a front is (NSGA-II, Deb et al. 2002).

/// Whether a point is at least as good as another in both costs, and better in one.
fn beats(one: [f64; 2], other: [f64; 2]) -> bool {
    one[0] <= other[0] && one[1] <= other[1] && one != other
}

/// The front of each point: 0 where no other point beats it, 1 where none but those of front 0 do, and so on.
pub fn fronts(points: &[[f64; 2]]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&i, &j| points[i][0].total_cmp(&points[j][0]).then(points[i][1].total_cmp(&points[j][1])));
    let mut fronts = vec![0; points.len()];
    let mut members: Vec<Vec<usize>> = Vec::new();
    // Whoever beats a point comes before it in this order.
    for index in order {
        let beaten = |front: &&Vec<usize>| front.iter().any(|&other| beats(points[other], points[index]));
        let front = members.iter().take_while(beaten).count();
        fronts[index] = front;
        match members.get_mut(front) {
            Some(front) => front.push(index),
            None => members.push(vec![index]),
        }
    }
    fronts
}

/// How far the neighbours of each point of a front lie apart, as shares of the front's reach; the ends have all the room.
pub fn room(front: &[[f64; 2]]) -> Vec<f64> {
    let mut room = vec![0.0; front.len()];
    for cost in 0..2 {
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&i, &j| front[i][cost].total_cmp(&front[j][cost]));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else { continue };
        let reach = front[last][cost] - front[first][cost];
        (room[first], room[last]) = (f64::INFINITY, f64::INFINITY);
        for three in order.windows(3).filter(|_| reach > 0.0) {
            room[three[1]] += (front[three[2]][cost] - front[three[0]][cost]) / reach;
        }
    }
    room
}

/// The indices of points from the best to the worst: by front, and within one by falling room.
pub fn ranked(points: &[[f64; 2]]) -> Vec<usize> {
    let fronts = fronts(points);
    let mut ranked = Vec::with_capacity(points.len());
    for front in 0..=fronts.iter().copied().max().unwrap_or(0) {
        let members: Vec<usize> = (0..points.len()).filter(|&index| fronts[index] == front).collect();
        let room = room(&members.iter().map(|&index| points[index]).collect::<Vec<_>>());
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|&i, &j| room[j].total_cmp(&room[i]));
        ranked.extend(order.into_iter().map(|place| members[place]));
    }
    ranked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: take away whoever nobody of the rest beats, over and over.
    fn peeled(points: &[[f64; 2]]) -> Vec<usize> {
        let mut fronts = vec![usize::MAX; points.len()];
        for front in 0.. {
            let left: Vec<usize> = (0..points.len()).filter(|&i| fronts[i] == usize::MAX).collect();
            if left.is_empty() {
                break;
            }
            let better = |i: usize, j: usize| {
                let (p, q) = (points[i], points[j]);
                (p[0] < q[0] && p[1] <= q[1]) || (p[0] <= q[0] && p[1] < q[1])
            };
            for &i in &left {
                if !left.iter().any(|&j| better(j, i)) {
                    fronts[i] = front;
                }
            }
        }
        fronts
    }

    proptest! {
        #[test]
        fn fronts_are_those_that_are_left_when_better_ones_are_taken_away(
            points in prop::collection::vec([0_u8..8, 0_u8..8], 0..40)
        ) {
            let points: Vec<[f64; 2]> = points.into_iter().map(|point| point.map(f64::from)).collect();
            prop_assert_eq!(fronts(&points), peeled(&points));
        }
    }

    #[test]
    fn the_ends_of_a_front_and_lonely_points_come_first() {
        let front = [[0.0, 10.0], [1.0, 8.0], [2.0, 6.0], [10.0, 0.0]];
        let found = room(&front);
        assert!(found[0].is_infinite() && found[3].is_infinite());
        // (2 - 0) / 10 + (10 - 6) / 10 and (10 - 1) / 10 + (8 - 0) / 10
        assert!((found[1] - 0.6).abs() < 1e-12 && (found[2] - 1.7).abs() < 1e-12, "{found:?}");
        let beaten = [[5.0, 20.0], [0.0, 10.0], [1.0, 8.0], [2.0, 6.0], [10.0, 0.0]];
        assert_eq!(ranked(&beaten), [1, 4, 3, 2, 0]);
    }
}
