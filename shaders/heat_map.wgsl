// A matrix as colours. A dot that covers many cells shows the one of largest magnitude; one that covers a few cells or the
// border between two shows a mixture, so that nothing flickers while the matrix is moved.

struct View {
    // The place of the picture's first dot in cells (xy), and cells a dot (zw).
    place: vec4<f32>,
    // Dots by which the part that is drawn lies right of and below the picture's corner (xy), columns and rows (zw).
    part: vec4<f32>,
    // The least value of the colours (x), 1 over their range (y), visibility of lines between cells (z), their width (w).
    range: vec4<f32>,
    ground: vec4<f32>,
    gap: vec4<f32>,
    line: vec4<f32>,
    // Level (x), power of two of a layer's width (y), layers beside each other (z).
    level: vec4<u32>,
};

@group(0) @binding(0) var<uniform> view: View;
// The matrix in square layers; each level has half as many cells as the one before.
@group(0) @binding(1) var values: texture_2d_array<f32>;
@group(0) @binding(2) var colours: texture_2d<f32>;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn value_at(cell: vec2<i32>, level: u32) -> f32 {
    let shift = view.level.y - level;
    let layer = vec2<u32>(cell) >> vec2<u32>(shift);
    let inside = cell - vec2<i32>(layer << vec2<u32>(shift));
    return textureLoad(values, inside, i32(layer.y * view.level.z + layer.x), i32(level)).x;
}

fn is_number(value: f32) -> bool {
    return abs(value) <= 3.0e38;
}

fn colour_of(value: f32) -> vec3<f32> {
    if !is_number(value) {
        return view.gap.rgb;
    }
    let part = clamp((value - view.range.x) * view.range.y, 0.0, 1.0);
    return textureLoad(colours, vec2<i32>(i32(part * 255.0 + 0.5), 0), 0).rgb;
}

// Beyond all numbers: what stands for none.
const NONE: f32 = 3.2e38;

// How much of the cell at `place` lies between `low` and `high`, along one side.
fn covered(low: f32, high: f32, place: i32) -> f32 {
    return clamp(min(high, f32(place + 1)) - max(low, f32(place)), 0.0, 1.0);
}

// The most of any cell from `first` to `last`.
fn most_covered(low: f32, high: f32, first: i32, last: i32) -> f32 {
    let ends = max(covered(low, high, first), covered(low, high, last));
    return max(select(ends, 1.0, last - first > 1), 1e-6);
}

// The value of the largest magnitude that the dot from `low` to `high` (in cells of the level) covers. A cell that it
// covers less of than of others counts less, so that nothing appears or goes suddenly.
fn strongest(low: vec2<f32>, high: vec2<f32>, level: u32) -> f32 {
    let cells = max(vec2<i32>(ceil(view.part.zw / f32(1u << level))), vec2<i32>(1));
    let first = clamp(vec2<i32>(floor(low)), vec2<i32>(0), cells - 1);
    let last = clamp(vec2<i32>(ceil(high)) - 1, first, cells - 1);
    let most = most_covered(low.x, high.x, first.x, last.x) * most_covered(low.y, high.y, first.y, last.y);
    var best = NONE;
    var best_weighted = -1.0;
    for (var y = first.y; y <= last.y; y++) {
        let down = covered(low.y, high.y, y) / most;
        for (var x = first.x; x <= last.x; x++) {
            let value = value_at(vec2<i32>(x, y), level) * down * covered(low.x, high.x, x);
            if is_number(value) && abs(value) > best_weighted {
                best = value;
                best_weighted = abs(value);
            }
        }
    }
    return best;
}

// The mixture of the at most four cells that a dot smaller than a cell touches.
fn mixture(low: vec2<f32>, high: vec2<f32>) -> vec3<f32> {
    let first = vec2<i32>(floor(low));
    let last = vec2<i32>(floor(high));
    let size = high - low;
    let cells = vec2<i32>(view.part.zw);
    var sum = vec3<f32>(0.0);
    for (var y = first.y; y <= last.y; y++) {
        let down = (min(high.y, f32(y + 1)) - max(low.y, f32(y))) / size.y;
        for (var x = first.x; x <= last.x; x++) {
            let across = (min(high.x, f32(x + 1)) - max(low.x, f32(x))) / size.x;
            let cell = vec2<i32>(x, y);
            let outside = any(cell < vec2<i32>(0)) || any(cell >= cells);
            if outside {
                sum += view.ground.rgb * down * across;
            } else {
                sum += colour_of(value_at(cell, 0u)) * down * across;
            }
        }
    }
    return sum;
}

@fragment
fn heat(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let low = view.place.xy + (position.xy - 0.5 + view.part.xy) * view.place.zw;
    let high = low + view.place.zw;
    if all(view.place.zw < vec2<f32>(1.0)) {
        var colour = mixture(low, high);
        if view.range.z > 0.0 {
            // Thin lines between cells that are large.
            let middle = (low + high) / 2.0;
            let away = abs(fract(middle + 0.5) - 0.5) / view.place.zw;
            let cover = clamp(vec2<f32>(0.5 * view.range.w + 0.5) - away, vec2<f32>(0.0), vec2<f32>(1.0));
            colour = mix(colour, view.line.rgb, max(cover.x, cover.y) * view.range.z);
        }
        return vec4<f32>(colour, 1.0);
    }
    if any(high <= vec2<f32>(0.0)) || any(low >= view.part.zw) {
        return vec4<f32>(view.ground.rgb, 1.0);
    }
    let factor = 1.0 / f32(1u << view.level.x);
    return vec4<f32>(colour_of(strongest(low * factor, high * factor, view.level.x)), 1.0);
}
