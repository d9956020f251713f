@echo off
rem Opens the training city. The first start prepares everything, without a network.
rem This file is ASCII on purpose: what is said in Japanese comes from start.py.
setlocal
set PYTHONUTF8=1
set PYTHONHOME=
set PYTHONPATH=
for %%V in (@NEWEST_FIRST@) do (
    py -%%V -I -c "import sys" >nul 2>nul && (
        py -%%V -I "%~dp0start.py" %*
        goto ended
    )
)
python -I -c "import sys; sys.exit('%%d.%%d' %% sys.version_info[:2] not in '@PYTHONS@'.split())" >nul 2>nul
if errorlevel 1 goto missing
python -I "%~dp0start.py" %*
goto ended

:missing
chcp 65001 >nul
type "%~dp0python-needed.txt"
pause
exit /b 1

:ended
set CODE=%ERRORLEVEL%
if not "%CODE%"=="0" pause
exit /b %CODE%
