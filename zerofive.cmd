@echo off
rem Starts zerofive on Windows, where plain Java computes. Builds it where it was never built; after a change of the
rem sources delete the folder target\app, and the next start builds it anew. (Elsewhere the script zerofive serves.)
setlocal
set "home=%~dp0"
set "app=%home%target\app"
set "work=%home%target\launcher"

set "java=java.exe"
if defined JAVA_HOME set "java=%JAVA_HOME%\bin\java.exe"
rem An option that Java has from 17 on.
"%java%" --enable-native-access=ALL-UNNAMED -version >nul 2>&1
if errorlevel 1 (
  echo zerofive: error: %java% is not there or is older than Java 17; install a JDK and name it by JAVA_HOME>&2
  exit /b 127
)

if exist "%app%\zerofive.jar" goto start
where mvn >nul 2>&1
if errorlevel 1 (
  echo zerofive: error: it is not built yet and there is no mvn on the PATH; install Maven>&2
  exit /b 127
)
echo zerofive: building, once ...>&2
if exist "%work%" rd /s /q "%work%"
call mvn -q -B -Dquick -DskipTests "-Dzerofive.target=%work%" -f "%home%pom.xml" package >&2
if errorlevel 1 (
  echo zerofive: error: the build failed; its messages stand above>&2
  exit /b 127
)
rem The folder gets its name when all is in it: a build that is killed leaves no half of a program.
if exist "%app%" rd /s /q "%app%"
move "%work%" "%app%" >nul
if errorlevel 1 (
  echo zerofive: error: %work% cannot be renamed to %app%; close what uses these folders>&2
  exit /b 127
)

:start
rem A JVM takes one garbage collector: where options are given, they may name it.
set "gc="
if not defined ZEROFIVE_JAVA_OPTS set "gc=-XX:+UseSerialGC"
"%java%" %gc% -XX:-UsePerfData -Xshare:auto %ZEROFIVE_JAVA_OPTS% -jar "%app%\zerofive.jar" %*
exit /b %errorlevel%
