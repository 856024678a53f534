# A formula for a tap of one's own. `make release` fills in address and hash of the released sdist (dist/kandji-mirror.rb);
# then, once, in the tap: `brew update-python-resources kandji-mirror`, which writes a `resource` for each dependency,
# and `brew install --build-from-source kandji-mirror && brew test kandji-mirror`. DuckDB is compiled then, which takes
# half an hour: offer bottles.
class KandjiMirror < Formula
  include Language::Python::Virtualenv

  desc "Local mirror of a Kandji (Iru) tenant that answers SQL"
  homepage "RELEASE_PAGE"
  url "RELEASE_PAGE/kandji_mirror-VERSION.tar.gz"
  sha256 "SHA256_OF_THE_SDIST"
  license "MIT"

  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "rust" => :build
  depends_on "certifi"
  depends_on "cryptography"
  depends_on "python@3.14"

  pypi_packages exclude_packages: %w[certifi cffi cryptography pycparser]

  def install
    virtualenv_install_with_resources
    generate_completions_from_executable(bin/"kandji-mirror", shell_parameter_format: :click)
  end

  service do
    run [opt_bin/"kandji-mirror", "serve"]
    keep_alive crashed: true
    log_path var/"log/kandji-mirror.log"
    error_log_path var/"log/kandji-mirror.log"
  end

  test do
    assert_match "version #{version} ", shell_output("#{bin}/kandji-mirror -V")
    ENV["HOME"] = testpath
    assert_match "FileVault coverage", shell_output("#{bin}/kandji-mirror demo --devices 5")
  end
end
