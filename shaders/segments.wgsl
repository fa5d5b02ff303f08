// Straight pieces of lines and trails, an instance each: a strip that faces the viewer, shaded like a tube.

struct Segment {
    @location(0) from_point: vec3<f32>,
    // Half of the width, in units of the scene.
    @location(1) radius: f32,
    @location(2) to_point: vec3<f32>,
    // Half of the width at least, in logical pixels.
    @location(3) least: f32,
    @location(4) from_colour: vec4<f32>,
    @location(5) to_colour: vec4<f32>,
};

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) colour: vec4<f32>,
    @location(1) across: f32,
    @location(2) depth: f32,
    // 1 for what is thick enough to have a shape.
    @location(3) round: f32,
};

@vertex
fn strip(@builtin(vertex_index) index: u32, segment: Segment) -> Fragment {
    let along = f32(index >> 1u);
    let side = f32(index & 1u) * 2.0 - 1.0;
    let near = camera.position.w;
    var from_clip = camera.view_projection * vec4<f32>(segment.from_point, 1.0);
    var to_clip = camera.view_projection * vec4<f32>(segment.to_point, 1.0);
    // What is behind the viewer is cut off: its place in the picture would be meaningless.
    if from_clip.w < near && to_clip.w > near {
        from_clip = mix(to_clip, from_clip, (to_clip.w - near) / (to_clip.w - from_clip.w));
    } else if to_clip.w < near && from_clip.w > near {
        to_clip = mix(from_clip, to_clip, (from_clip.w - near) / (from_clip.w - to_clip.w));
    }
    let clip = select(from_clip, to_clip, along > 0.5);
    let half_size = 0.5 * camera.dots.xy;
    let direction = (to_clip.xy / to_clip.w - from_clip.xy / from_clip.w) * half_size;
    let length = max(length(direction), 1e-6);
    let forward = select(vec2<f32>(1.0, 0.0), direction / length, length > 1e-5);
    let dots = segment.radius * camera.dots.w / clip.w;
    let least = segment.least * camera.dots.z;
    let half_width = max(dots, least);
    let sideways = vec2<f32>(-forward.y, forward.x) * side;
    // Half of a width more at both ends, so that pieces overlap where they bend.
    let overlap = forward * (2.0 * along - 1.0) * step(1e-9, segment.radius);
    let moved = clip.xy + (sideways + 0.7 * overlap) * half_width / half_size * clip.w;
    var out: Fragment;
    out.position = in_part(vec4<f32>(moved, clip.zw));
    out.colour = mix(segment.from_colour, segment.to_colour, along);
    out.across = side;
    out.depth = clip.w;
    out.round = step(1e-9, segment.radius);
    return out;
}

@fragment
fn tube(in: Fragment) -> @location(0) vec4<f32> {
    let bulge = sqrt(max(1.0 - in.across * in.across, 0.0));
    let light = mix(1.0, 0.55 + 0.5 * bulge, in.round);
    return vec4<f32>(encoded(hazed(in.colour.rgb * light, in.depth)), in.colour.a);
}
