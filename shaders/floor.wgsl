// A quiet grid below the scene, which fades out around it.

struct Fragment {
    @builtin(position) position: vec4<f32>,
    // In reaches of the axes.
    @location(0) place: vec2<f32>,
};

const EXTENT: f32 = 2.4;
// Lines a reach.
const LINES: f32 = 4.0;

@vertex
fn floor_corner(@builtin(vertex_index) index: u32) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    let reach = camera.haze.w;
    var out: Fragment;
    out.place = corner * EXTENT;
    out.position = placed(vec3<f32>(out.place.x * reach, -reach, out.place.y * reach));
    return out;
}

// How much of the dot a line about `width` dots wide covers, for lines at whole numbers.
fn line(place: vec2<f32>, width: f32) -> f32 {
    let step = max(fwidth(place), vec2<f32>(1e-6));
    let distance = abs(fract(place - 0.5) - 0.5) / step;
    let cover = clamp(vec2<f32>(0.5 * width + 0.5) - distance, vec2<f32>(0.0), vec2<f32>(1.0));
    // Where lines are closer than dots they would flicker: they fade out before.
    let apart = clamp(vec2<f32>(1.0) - 2.0 * step, vec2<f32>(0.0), vec2<f32>(1.0));
    let shown = cover * apart;
    return max(shown.x, shown.y);
}

@fragment
fn grid(in: Fragment) -> @location(0) vec4<f32> {
    let width = camera.dots.z;
    let fine = line(in.place * LINES, width);
    let coarse = line(in.place, 1.6 * width);
    let away = length(in.place) / EXTENT;
    let fade = 1.0 - smoothstep(0.25, 1.0, away);
    let shown = max(fine * 0.55, coarse) * fade;
    return vec4<f32>(camera.grid.rgb, camera.grid.a * shown);
}
