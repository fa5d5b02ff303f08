// One colour for the whole viewport.

struct Corner {
    @builtin(position) at: vec4<f32>,
    @location(0) @interpolate(flat) colour: vec3<f32>,
}

@vertex
fn corner(@builtin(vertex_index) number: u32, @builtin(instance_index) colour: u32) -> Corner {
    let at = vec2<f32>(f32(number & 1u), f32(number >> 1u));
    return Corner(vec4<f32>(2.0 * at - 1.0, 0.0, 1.0), unpack4x8unorm(colour).rgb);
}

@fragment
fn filled(corner: Corner) -> @location(0) vec4<f32> {
    return vec4<f32>(corner.colour, 1.0);
}
