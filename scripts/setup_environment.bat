@echo off
rem Sets a machine up for training: scripts\setup_environment.bat [--cpu]. setup_environment.sh does the same on Linux.
rem
rem It only decides which PyTorch fits the machine; everything else is the work of dev.ps1, which finds it there.
setlocal
pushd "%~dp0.."
set "python=.venv\Scripts\python.exe"
set "dev=powershell -NoProfile -ExecutionPolicy Bypass -File dev.ps1"

if "%~1"=="" goto look
if "%~1"=="--cpu" goto cpu
echo This flag is not known.>&2
echo   saw: %~1>&2
echo   fix: scripts\setup_environment.bat [--cpu]>&2
popd
exit /b 1

:look
nvidia-smi -L >nul 2>&1 || goto cpu
rem PyPI has PyTorch for Windows without CUDA only.
set "index=https://download.pytorch.org/whl/cu130"
goto install

:cpu
echo No NVIDIA GPU: PyTorch for processors.
set "index=https://download.pytorch.org/whl/cpu"

:install
%dev% setup || goto failed
rem The version stands in pyproject.toml alone.
"%python%" -c "import re, pathlib; print(re.search('torch==[0-9.]+', pathlib.Path('pyproject.toml').read_text(encoding='utf-8'))[0])" >"%TEMP%\facewire-torch.txt" || goto failed
set /p torch=<"%TEMP%\facewire-torch.txt"
del "%TEMP%\facewire-torch.txt"
"%python%" -m pip install --disable-pip-version-check --no-input --index-url %index% %torch%
if errorlevel 1 echo Its index cannot be reached; the usual one follows.
%dev% train --help >nul || goto failed
"%python%" -c "import torch; print('PyTorch', torch.__version__, 'with a GPU' if torch.cuda.is_available() else 'without a GPU')"
echo Try it: .\dev.ps1 train --preset tiny
popd
exit /b 0

:failed
popd
exit /b 1
