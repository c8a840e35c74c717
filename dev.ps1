# Sets up what is missing, then does what the verb says: .\dev.ps1 help. run.sh has the same verbs for Linux and macOS.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

$Root = $PSScriptRoot
$Venv = Join-Path $Root '.venv'
$Scripts = Join-Path $Venv 'Scripts'
$Python = Join-Path $Scripts 'python.exe'

function Show-Usage {
    @'
.\dev.ps1 [ARGS]        set up what is missing, then run the program; without ARGS that is the demo
.\dev.ps1 VERB [ARGS]

  setup   set up only: Python packages, models, engines
  check   format, lint, types, import layers
  fix     format, and mend what the linter can mend
  test    all tests; ARGS go to pytest
  bench   measure latency: testbench.latency ARGS
  run     the same as no verb
  train   train the detector: training.run ARGS (--preset tiny is a trial of a minute)
  help    this text

FACEWIRE_PYTHON names the Python to set up with (3.10 to 3.13).
FACEWIRE_LOCKED=1 installs the very versions of requirements/*.txt, each file checked by its hash.
'@
}

function Stop-With([string[]] $Lines) {
    [Console]::Error.WriteLine($Lines -join "`n")
    exit 1
}

# Stores of apps put a python.exe in the path that only opens a shop window, so each candidate is asked to do something.
function Test-Python([string[]] $Command) {
    $Words = @($Command | Select-Object -Skip 1)
    try {
        & $Command[0] @Words -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>&1 | Out-Null
        return $LASTEXITCODE -eq 0
    } catch {
        return $false
    }
}

function Find-Python {
    if ($env:FACEWIRE_PYTHON) {
        if (Test-Python @($env:FACEWIRE_PYTHON)) { return , @($env:FACEWIRE_PYTHON) }
        Stop-With @('FACEWIRE_PYTHON cannot be used.', "  saw: $env:FACEWIRE_PYTHON",
            '  fix: name a Python from 3.10 to 3.13')
    }
    foreach ($Version in '3.13', '3.12', '3.11', '3.10') {
        if (Test-Python @('py', "-$Version")) { return , @('py', "-$Version") }
    }
    foreach ($Name in 'python3', 'python') {
        if (Test-Python @($Name)) { return , @($Name) }
    }
    Stop-With @('No Python from 3.10 to 3.13 was found.',
        '  fix: install one from python.org, or name one in FACEWIRE_PYTHON')
}

# One line of progress; the command's output is shown only when it fails.
function Invoke-Step([string] $What, [string[]] $Command) {
    $Words = @($Command | Select-Object -Skip 1)
    $Log = New-TemporaryFile
    [Console]::Error.Write("$What ... ")
    $Before = $ErrorActionPreference
    $ErrorActionPreference = 'Continue'  # a warning on stderr is no failure
    & $Command[0] @Words *> $Log
    $Code = $LASTEXITCODE
    $ErrorActionPreference = $Before
    if ($Code -ne 0) {
        [Console]::Error.WriteLine('failed')
        Get-Content $Log -Tail 40 | ForEach-Object { [Console]::Error.WriteLine($_) }
        Stop-With @('', "Setting up stopped at: $What", "  fix: see the lines above; the whole log is $Log")
    }
    Remove-Item $Log
    [Console]::Error.WriteLine('done')
}

# What an installation depends on: a change of it sets up again.
function Get-Print([string[]] $Paths, [string[]] $Texts = @()) {
    $Hashes = $Paths | Where-Object { Test-Path $_ } | ForEach-Object { (Get-FileHash $_).Hash }
    return (@($Hashes) + $Texts) -join ' '
}

function Get-PackagesPrint {
    $Files = @((Join-Path $Root 'pyproject.toml'), (Join-Path $Venv 'pyvenv.cfg'))
    if ($env:FACEWIRE_LOCKED) { $Files += @((Get-LockFile ''), (Get-LockFile 'dev')) }
    return Get-Print $Files
}

# Which models are wanted, and where they lie, is a matter of settings.
function Get-ModelsPrint {
    $Manifests = Get-ChildItem (Join-Path $Root 'checkpoints/manifests') -Filter '*.json' | ForEach-Object FullName
    $Texts = @($env:DATA_DIR, $env:DETECTOR_ENGINE, $env:DETECTOR, $env:EMBEDDING_ENGINE, $env:EMBEDDER,
        $env:PRECISION, $env:USE_FP16, $env:BACKEND)
    return Get-Print (@($Manifests) + (Join-Path $Root '.env') + (Join-Path $Venv 'pyvenv.cfg')) $Texts
}

function Get-LockFile([string] $Extra) {
    $Name = if ($Extra) { $Extra } else { 'run' }
    Join-Path $Root (Join-Path 'requirements' "$Name.txt")
}

# Nothing, dev or train: each brings what the plain installation has.
function Install-Packages([string] $Extra = '') {
    $Plain = Join-Path $Venv 'facewire-packages'
    $Stamp = if ($Extra) { "$Plain-$Extra" } else { $Plain }
    if ((Test-Path $Python) -and (Test-Path $Stamp) -and ((Get-Content $Stamp) -eq (Get-PackagesPrint))) { return }
    if (-not ((Test-Path $Python) -and (Test-Python @($Python)))) {
        $Base = Find-Python
        if (Test-Path $Venv) { Remove-Item -Recurse -Force $Venv }
        Invoke-Step 'Making .venv' ($Base + @('-m', 'venv', $Venv))
    }
    $Pip = @($Python, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input')
    if ($env:FACEWIRE_LOCKED) {
        $Lock = Get-LockFile $Extra
        Invoke-Step 'Installing the packages of requirements (about a minute)' ($Pip + @('--require-hashes', '-r', $Lock))
        Invoke-Step 'Installing Facewire' ($Pip + @('--no-deps', '--no-build-isolation', '-e', $Root))
    }
    else {
        $What = if ($Extra) { "${Root}[$Extra]" } else { $Root }
        Invoke-Step 'Installing packages (about a minute)' ($Pip + @('-e', $What))
    }
    Set-Content $Plain (Get-PackagesPrint)
    Set-Content $Stamp (Get-PackagesPrint)
}

function Install-Models {
    $Stamp = Join-Path $Venv 'facewire-models'
    if (Test-Path $Stamp) {
        $Lines = @(Get-Content $Stamp)
        if ($Lines[0] -eq (Get-ModelsPrint) -and (Test-Path $Lines[-1])) { return }
        Remove-Item $Stamp
    }
    Invoke-Step 'Fetching models and building engines' @($Python, '-m', 'app.prepare', '--where', "$Stamp.folder")
    Set-Content $Stamp @((Get-ModelsPrint), (Get-Content "$Stamp.folder"))
}

# The folder that one calls from must not be searched for modules: it may have an `app` of its own.
function Invoke-Module([string[]] $Words) {
    $env:PYTHONSAFEPATH = '1'
    & $Python -m @Words
    exit $LASTEXITCODE
}

function Invoke-Tools([string[]] $Commands) {
    $Failed = 0
    foreach ($Command in $Commands) {
        $Tool, $Words = $Command -split ' '
        & (Join-Path $Scripts $Tool) @Words
        if ($LASTEXITCODE -ne 0) { $Failed = 1 }
    }
    exit $Failed
}

$Verbs = @('setup', 'check', 'fix', 'test', 'bench', 'run', 'train', 'help')
$Verb = 'run'
$Rest = @($args)
if ($Rest.Count -gt 0 -and $Verbs -ccontains $Rest[0]) {
    $Verb = $Rest[0]
    $Rest = @($Rest | Select-Object -Skip 1)
}

switch ($Verb) {
    'help' { Show-Usage }
    'setup' {
        Install-Packages
        Install-Models
    }
    'check' {
        Install-Packages 'dev'
        Set-Location $Root
        Invoke-Tools @('ruff format --check .', 'ruff check --no-cache .', 'mypy', 'lint-imports')
    }
    'fix' {
        Install-Packages 'dev'
        Set-Location $Root
        Invoke-Tools @('ruff check --fix .', 'ruff format .')
    }
    'test' {
        Install-Packages 'dev'
        Install-Models
        Set-Location $Root
        Invoke-Module (@('pytest') + $Rest)
    }
    'bench' {
        Install-Packages
        Install-Models
        Invoke-Module (@('testbench.latency') + $Rest)
    }
    'run' {
        Install-Packages
        Install-Models
        Invoke-Module (@('app.main') + $Rest)
    }
    'train' {
        Install-Packages 'train'
        Install-Models
        Invoke-Module (@('training.run') + $Rest)
    }
}
