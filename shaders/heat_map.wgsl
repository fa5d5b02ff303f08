// A matrix as colours, at a level of which a dot covers one cell at most: so it touches four, and shows their mixture by
// how much of each it covers. Nothing flickers while the matrix is moved, and edges of cells are smooth.

struct View {
    // The place of the picture's first dot in cells of the level (xy), and cells a dot (zw).
    place: vec4<f32>,
    // Dots by which the part that is drawn lies right of and below the picture's corner (xy), the matrix' width and height
    // in cells of the level (zw).
    part: vec4<f32>,
    // The least value of the colours (x), 1 over their range (y), visibility of lines between cells (z), their width (w).
    range: vec4<f32>,
    ground: vec4<f32>,
    gap: vec4<f32>,
    line: vec4<f32>,
    // Columns and rows of the level (xy), layers beside each other (z).
    level: vec4<i32>,
};

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var colours: texture_2d<f32>;
// One level of the matrix, in square layers of 2048 cells.
@group(0) @binding(2) var values: texture_2d_array<f32>;

const LAYER: u32 = 11u;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

// A value with its weight; both 0 where there is none.
fn weighted(cell: vec2<i32>, weight: f32) -> vec2<f32> {
    let layer = cell >> vec2<u32>(LAYER);
    let inside = cell - (layer << vec2<u32>(LAYER));
    let value = textureLoad(values, inside, layer.y * view.level.z + layer.x, 0).x;
    return select(vec2<f32>(0.0), vec2<f32>(value, 1.0) * weight, abs(value) <= 3.0e38);
}

@fragment
fn heat(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let step = view.place.zw;
    let low = view.place.xy + (position.xy - 0.5 + view.part.xy) * step;
    let high = low + step;
    let size = view.part.zw;
    let inside = clamp((min(high, size) - max(low, vec2<f32>(0.0))) / step, vec2<f32>(0.0), vec2<f32>(1.0));
    let first = floor(low);
    let second = clamp((high - first - 1.0) / step, vec2<f32>(0.0), vec2<f32>(1.0));
    let last = view.level.xy - 1;
    let a = clamp(vec2<i32>(first), vec2<i32>(0), last);
    let b = clamp(vec2<i32>(first) + 1, vec2<i32>(0), last);
    let sum = weighted(a, (1.0 - second.x) * (1.0 - second.y))
        + weighted(vec2<i32>(b.x, a.y), second.x * (1.0 - second.y))
        + weighted(vec2<i32>(a.x, b.y), (1.0 - second.x) * second.y)
        + weighted(b, second.x * second.y);
    let value = clamp((sum.x / max(sum.y, 1e-6) - view.range.x) * view.range.y, 0.0, 1.0);
    let colour = textureLoad(colours, vec2<i32>(i32(value * 255.0 + 0.5), 0), 0).rgb;
    // Thin lines between cells that are large. No branch: a software driver compiles one anew for every value of a uniform.
    let away = abs(fract(low + 0.5 * step + 0.5) - 0.5) / step;
    let cover = clamp(vec2<f32>(0.5 * view.range.w + 0.5) - away, vec2<f32>(0.0), vec2<f32>(1.0));
    let shown = mix(mix(view.gap.rgb, colour, sum.y), view.line.rgb, max(cover.x, cover.y) * view.range.z);
    return vec4<f32>(mix(view.ground.rgb, shown, inside.x * inside.y), 1.0);
}
