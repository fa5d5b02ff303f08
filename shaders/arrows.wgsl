// Arrows, an instance each, lit by a key light that goes with the viewer and by a sky; and their shadows on the floor.

struct Vertex {
    // Direction from the axis, or 0 on it.
    @location(0) circle: vec2<f32>,
    // Distance from the axis in shaft radii (x) or head radii (y).
    @location(1) radius: vec2<f32>,
    // Along the axis in shaft lengths (x) and head lengths (y).
    @location(2) along: vec2<f32>,
    // Away from the axis (x) and along it (y).
    @location(3) normal: vec2<f32>,
};

struct Arrow {
    @location(4) from_point: vec3<f32>,
    @location(5) radius: f32,
    @location(6) vector: vec3<f32>,
    // How much it gives way to others: 0 not at all.
    @location(7) faded: f32,
    @location(8) colour: vec4<f32>,
};

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) normal: vec3<f32>,
    @location(1) colour: vec3<f32>,
    @location(2) depth: f32,
    @location(3) view: vec3<f32>,
};

const HEAD_LENGTH: f32 = 7.5;
const HEAD_RADIUS: f32 = 2.7;

struct Placed {
    point: vec3<f32>,
    normal: vec3<f32>,
};

fn on_arrow(vertex: Vertex, arrow: Arrow) -> Placed {
    let size = max(length(arrow.vector), 1e-9);
    let forward = arrow.vector / size;
    let helper = select(vec3<f32>(0.0, 1.0, 0.0), vec3<f32>(1.0, 0.0, 0.0), abs(forward.y) > 0.9);
    let side = normalize(cross(helper, forward));
    let outward = side * vertex.circle.x + cross(forward, side) * vertex.circle.y;
    // A short arrow is thinner, so that it stays an arrow.
    let radius = min(arrow.radius, size * 0.085);
    let head = radius * HEAD_LENGTH;
    let away = radius * (vertex.radius.x + vertex.radius.y * HEAD_RADIUS);
    let along = vertex.along.x * (size - head) + vertex.along.y * head;
    let point = arrow.from_point + forward * along + outward * away;
    return Placed(point, outward * vertex.normal.x + forward * vertex.normal.y);
}

@vertex
fn arrow(vertex: Vertex, instance: Arrow) -> Fragment {
    let placed_vertex = on_arrow(vertex, instance);
    let clip = camera.view_projection * vec4<f32>(placed_vertex.point, 1.0);
    var out: Fragment;
    out.position = in_part(clip);
    out.normal = placed_vertex.normal;
    out.colour = mix(instance.colour.rgb, camera.ground.rgb, instance.faded);
    out.depth = clip.w;
    out.view = camera.position.xyz - placed_vertex.point;
    return out;
}

fn shaded(colour: vec3<f32>, normal: vec3<f32>, view: vec3<f32>) -> vec3<f32> {
    let key = normalize(camera.up.xyz * 0.85 + camera.towards.xyz * 0.75 - camera.across.xyz * 0.55);
    let sky = 0.42 + 0.16 * normal.y;
    let diffuse = max((dot(normal, key) + 0.25) / 1.25, 0.0);
    let half_way = max(dot(normal, normalize(key + view)), 0.0);
    let highlight = half_way * half_way;
    let shine = highlight * highlight * highlight * highlight;
    let shine2 = shine * shine;
    return colour * (sky + 0.78 * diffuse) + vec3<f32>(0.10 * shine2 * shine);
}

@fragment
fn lit(in: Fragment) -> @location(0) vec4<f32> {
    let colour = shaded(in.colour, normalize(in.normal), normalize(in.view));
    return vec4<f32>(encoded(hazed(colour, in.depth)), 1.0);
}

struct Flat {
    @builtin(position) position: vec4<f32>,
    @location(0) colour: vec3<f32>,
    // From one edge (-1) to the other (1).
    @location(1) across: f32,
};

// One of a crowd: flat, facing the viewer, lit along its middle.
@vertex
fn crowd(vertex: Vertex, instance: Arrow) -> Flat {
    let size = max(length(instance.vector), 1e-9);
    let forward = instance.vector / size;
    let radius = min(instance.radius, size * 0.085);
    let head = radius * HEAD_LENGTH;
    let along = vertex.along.x * (size - head) + vertex.along.y * head;
    let middle = instance.from_point + forward * along;
    let view = normalize(camera.position.xyz - middle);
    let across = cross(forward, view);
    let sideways = across / max(length(across), 1e-6);
    let away = radius * (vertex.radius.x + vertex.radius.y * HEAD_RADIUS);
    let point = middle + sideways * vertex.circle.x * away;
    let normal = cross(sideways, forward);
    let clip = camera.view_projection * vec4<f32>(point, 1.0);
    let colour = mix(instance.colour.rgb, camera.ground.rgb, instance.faded);
    var out: Flat;
    out.position = in_part(clip);
    out.colour = encoded(hazed(shaded(colour, normal, view), clip.w));
    out.across = vertex.circle.x;
    return out;
}

@fragment
fn flat_colour(in: Flat) -> @location(0) vec4<f32> {
    return vec4<f32>(in.colour * (1.06 - 0.26 * in.across * in.across), 1.0);
}

// A rim of the ground's colour around what is in front, so that crossings read as one over the other.
@vertex
fn halo(vertex: Vertex, instance: Arrow) -> @builtin(position) vec4<f32> {
    let placed_vertex = on_arrow(vertex, instance);
    let clip = camera.view_projection * vec4<f32>(placed_vertex.point, 1.0);
    let rim = 1.6 * camera.dots.z * clip.w / camera.dots.w;
    return placed(placed_vertex.point + placed_vertex.normal * rim);
}

@fragment
fn ground() -> @location(0) vec4<f32> {
    return vec4<f32>(encoded(camera.ground.rgb), 1.0);
}

@vertex
fn shadow(vertex: Vertex, instance: Arrow) -> @builtin(position) vec4<f32> {
    let point = on_arrow(vertex, instance).point;
    return placed(vec3<f32>(point.x, -camera.haze.w, point.z));
}

@fragment
fn shade() -> @location(0) vec4<f32> {
    return camera.shadow;
}
