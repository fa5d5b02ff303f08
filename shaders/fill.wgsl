// One colour for the whole viewport: red, green and blue, and what its alpha lacks, from the lowest byte of the instance's number on.

struct Corner {
    @builtin(position) at: vec4<f32>,
    @location(0) @interpolate(flat) colour: vec4<f32>,
}

@vertex
fn corner(@builtin(vertex_index) number: u32, @builtin(instance_index) instance: u32) -> Corner {
    let at = vec2<f32>(f32(number & 1u), f32(number >> 1u));
    let colour = unpack4x8unorm(instance);
    return Corner(vec4<f32>(2.0 * at - 1.0, 0.0, 1.0), vec4<f32>(colour.rgb, 1.0 - colour.a));
}

@fragment
fn filled(corner: Corner) -> @location(0) vec4<f32> {
    return corner.colour;
}
