// Copies a picture to its place in the window.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var between: sampler;

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec2<f32>,
};

@vertex
fn corner(@builtin(vertex_index) index: u32) -> Fragment {
    let place = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    var out: Fragment;
    out.position = vec4<f32>(place * vec2<f32>(2.0, -2.0) + vec2<f32>(-1.0, 1.0), 0.0, 1.0);
    out.place = place;
    return out;
}

@fragment
fn plain(in: Fragment) -> @location(0) vec4<f32> {
    return textureSampleLevel(picture, between, in.place, 0.0);
}

// For a window whose texture encodes what it is given.
@fragment
fn decoded(in: Fragment) -> @location(0) vec4<f32> {
    let colour = textureSampleLevel(picture, between, in.place, 0.0);
    let low = colour.rgb / 12.92;
    let high = pow((colour.rgb + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, colour.rgb <= vec3<f32>(0.04045)), colour.a);
}
