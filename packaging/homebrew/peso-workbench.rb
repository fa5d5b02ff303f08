# Not built yet: this needs macOS. Fill in where the source lies, then
#   brew install --build-from-source ./peso-workbench.rb
class PesoWorkbench < Formula
  desc "Workbench for continual LoRA adaptation of recommenders"
  homepage "https://arxiv.org/abs/2510.25093"
  url "https://example.org/peso-workbench-0.1.0.tar.gz" # the release's source
  sha256 "0000000000000000000000000000000000000000000000000000000000000000" # `shasum -a 256` of it
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    # CUDA is not on macOS; wgpu trains through Metal
    system "cargo", "install", "--no-default-features", "--features", "wgpu", *std_cargo_args
    system bin/"peso", "share-files", share
    # Shells look elsewhere here
    generate_completions_from_executable(bin/"peso", "completions")
    rm_r [share/"bash-completion", share/"zsh/site-functions", share/"fish/vendor_completions.d"]
    doc.install "projects"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/peso --version")
    system bin/"peso", "demo", "--out", testpath/"demo"
    assert_match "PESO", shell_output("#{bin}/peso inspect #{testpath}/demo")
  end
end
