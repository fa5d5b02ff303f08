# Makes a zip that runs from any folder, on Windows with Rust (https://rustup.rs) and the build tools of Visual Studio.
# Not tried yet. Usage: powershell -File packaging\windows\package.ps1 [-Out DIR]
param([string]$Out = "target\packages")
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")

cargo build --release --locked
if ($LASTEXITCODE -ne 0) { throw "the build failed" }

$version = (& target\release\peso.exe --version) -replace "^peso ", ""
$name = "peso-workbench-$version-x86_64-windows"
$tree = Join-Path $env:TEMP $name
if (Test-Path $tree) { Remove-Item -Recurse -Force $tree }
New-Item -ItemType Directory -Force $tree, (Join-Path $tree "examples"), $Out | Out-Null
Copy-Item target\release\peso.exe, README.md, LICENSE-MIT, LICENSE-APACHE, CHANGELOG.md $tree
Copy-Item assets\fonts\Inter-LICENSE.txt (Join-Path $tree "LICENSE-Inter.txt")
Copy-Item -Recurse projects\* (Join-Path $tree "examples")
& target\release\peso.exe completions powershell | Set-Content -Encoding utf8 (Join-Path $tree "completions.ps1")

$zip = Join-Path $Out "$name.zip"
if (Test-Path $zip) { Remove-Item $zip }
Compress-Archive -Path $tree -DestinationPath $zip
Remove-Item -Recurse -Force $tree
Write-Host "$zip  $([math]::Round((Get-Item $zip).Length / 1MB)) MB"
